package scanner

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/sources"
)

// crawl registers what changed in a place since the last crawl. The failure is
// the source's, the error the store's or the end of ctx.
func (s *Scanner) crawl(ctx context.Context, place Place, scan findings.Scan) (failure, err error) {
	var broken []error // scopes that were listed but not crawled to their end
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, s.Scopes))
	results := make(chan error, 1)
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		for r := range results {
			broken = append(broken, r)
		}
	}()

	listed := place.Source.Scopes(ctx, func(scope sources.Scope) error {
		if scope.Reason != nil {
			return s.scopeGap(groupCtx, scan, scope, scope.Reason)
		}
		group.Go(func() error {
			failure, err := s.crawlScope(groupCtx, place, scan, scope)
			if failure != nil {
				results <- failure
			}
			return err
		})
		return groupCtx.Err()
	})
	err = group.Wait()
	close(results)
	<-collected
	var stored *storeError
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(listed, &stored):
		return nil, listed
	case listed != nil:
		s.Log.Error("scopes not listed", "source", place.Name, "err", listed)
		return listed, nil
	}
	if err := s.Store.EndScopes(ctx, scan); err != nil {
		return nil, err
	}
	if _, err := s.Store.Requeue(ctx, scan); err != nil {
		return nil, err
	}
	return errors.Join(broken...), nil
}

// crawlScope crawls one scope, once more from the beginning if its cursor is
// too old.
func (s *Scanner) crawlScope(ctx context.Context, place Place, scan findings.Scan, scope sources.Scope) (failure, err error) {
	failure, err = s.crawlFrom(ctx, place, scan, scope, false)
	if errors.Is(failure, sources.ErrCursorExpired) {
		s.Log.Info("cursor expired, crawling everything", "source", place.Name, "scope", scope.Path)
		failure, err = s.crawlFrom(ctx, place, scan, scope, true)
	}
	if failure == nil || err != nil || ctx.Err() != nil {
		return failure, err
	}
	s.Log.Error("scope not crawled to its end", "source", place.Name, "scope", scope.Path, "err", failure)
	err = s.scopeGap(ctx, scan, scope, failure)
	if errors.Is(failure, sources.ErrDenied) || errors.Is(failure, sources.ErrGone) {
		failure = nil // it stays a gap; the rest of the source is complete
	}
	if failure != nil {
		failure = fmt.Errorf("%s: %w", scope.Path, failure)
	}
	return failure, err
}

func (s *Scanner) crawlFrom(ctx context.Context, place Place, scan findings.Scan, scope sources.Scope, fresh bool) (failure, err error) {
	crawl, err := s.Store.BeginCrawl(ctx, scan, scope, fresh)
	if err != nil {
		return nil, err
	}
	empty := crawl.Since == "" // until something is met; a place that keeps history knows its deletions
	err = place.Source.Changes(ctx, scope, crawl.Since, func(page sources.Page) error {
		if err := s.Store.SavePage(ctx, crawl, page); err != nil {
			return &storeError{err}
		}
		empty = empty && len(page.Changes) == 0 && page.Next == ""
		s.progress.met(page)
		return nil
	})
	var stored *storeError
	switch {
	case errors.As(err, &stored):
		return nil, stored.err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return err, nil
	}
	if empty {
		held, err := s.holds(ctx, place, scope)
		if err != nil || held {
			return ErrEmpty, err
		}
	}
	return nil, s.Store.EndCrawl(ctx, crawl)
}

// ErrEmpty says that a place which held documents lists none at all, as a
// mount point does whose file server is not mounted. It is not believed: its
// findings would be resolved without anyone having fixed them. Where all was
// removed on purpose, any one file in the place makes the listing believed.
var ErrEmpty = errors.New("held documents, and lists nothing at all")

// holds says whether the register knows documents of a scope.
func (s *Scanner) holds(ctx context.Context, place Place, scope sources.Scope) (bool, error) {
	for d, err := range s.Store.Documents(ctx, findings.Filter{Source: place.Name, PathPrefix: scope.Path}) {
		if err != nil {
			return false, err
		}
		if d.Item.Scope == scope.ID {
			return true, nil
		}
	}
	return false, nil
}

func (s *Scanner) scopeGap(ctx context.Context, scan findings.Scan, scope sources.Scope, reason error) error {
	code, _ := reasonOf(reason)
	if err := s.Store.ScopeGap(ctx, scan, scope, code, ""); err != nil {
		return &storeError{err}
	}
	s.progress.gaps.Add(1)
	return nil
}

// storeError tells the store's trouble from the source's where both come back
// through the source.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }
