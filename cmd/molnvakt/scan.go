package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/scanner"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources/folder"
)

// folderService is where a folder without configuration is taken to lie: the
// question people scan a folder for is whether it may be moved to the cloud.
const folderService = "m365"

func (p *program) scanCommand() *cobra.Command {
	var o struct {
		service, ocr string
		sources      []string
		report       reportFlags
	}
	cmd := &cobra.Command{
		Use: "scan",
		RunE: func(cmd *cobra.Command, dirs []string) error {
			if err := o.report.check(); err != nil {
				return err
			}
			ocr, err := p.ocrMode(o.ocr)
			if err != nil {
				return err
			}
			places, free, missing, err := p.scanPlaces(dirs, o.sources, o.service, ocr)
			if err != nil {
				return err
			}
			defer free()
			err = p.scan(cmd.Context(), places, o.report)
			if missing != nil && (err == nil || errors.Is(err, errFindings)) {
				return missing
			}
			return err
		},
	}
	cmd.Flags().StringVar(&o.service, "service", folderService, "")
	cmd.Flags().StringVar(&o.ocr, "ocr", "", "off, scans, all")
	cmd.Flags().StringSliceVar(&o.sources, "source", nil, "")
	o.report.add(cmd)
	return cmd
}

func (p *program) ocrMode(flag string) (inspect.OCR, error) {
	switch mode := inspect.OCR(flag); mode {
	case "":
		return p.config.Scan.OCR, nil
	case inspect.OCROff, inspect.OCRScans, inspect.OCRAll:
		return mode, nil
	}
	return "", &fault{key: "fault.usage", args: []any{"--ocr: off, scans, all", "molnvakt scan"}}
}

// scanPlaces are the folders named on the command line, else the configured
// sources; missing says which of these could not be opened.
func (p *program) scanPlaces(dirs, names []string, service string, ocr inspect.OCR) (places []scanner.Place, free func(), missing, err error) {
	if len(dirs) == 0 {
		if len(p.config.Sources) == 0 {
			return nil, nil, nil, &fault{key: "fault.no-sources"}
		}
		return p.places(names)
	}
	if err := p.knownService(service); err != nil {
		return nil, nil, nil, err
	}
	free = func() {
		for _, place := range places {
			place.Source.(*folder.Folder).Close()
		}
	}
	for _, dir := range dirs {
		place, err := folderPlace(dir, service, ocr)
		if err != nil {
			free()
			return nil, nil, nil, err
		}
		places = append(places, place)
	}
	return places, free, nil, nil
}

func (p *program) knownService(service string) error {
	rules, err := p.policy()
	if err != nil {
		return err
	}
	if _, known := rules.Service(service); !known {
		return &fault{key: "fault.service", args: []any{service, p.words.List(serviceIDs(rules))}}
	}
	return nil
}

func serviceIDs(rules *policy.Policy) (ids []string) {
	for _, s := range rules.Services() {
		ids = append(ids, s.ID)
	}
	return ids
}

// folderPlace is a folder from the command line; its name is its path.
func folderPlace(dir, service string, ocr inspect.OCR) (scanner.Place, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return scanner.Place{}, err
	}
	info, err := os.Stat(abs)
	switch {
	case err != nil:
		return scanner.Place{}, &fault{key: "fault.folder", args: []any{dir}, err: err}
	case !info.IsDir():
		return scanner.Place{}, &fault{key: "fault.no-folder", args: []any{dir}}
	}
	src, err := folder.Open(folder.Config{Path: abs})
	if err != nil {
		return scanner.Place{}, &fault{key: "fault.folder", args: []any{dir}, err: err}
	}
	return scanner.Place{Name: abs, Service: service, Source: src, OCR: ocr}, nil
}

// scan runs one scan and reports what it found.
func (p *program) scan(ctx context.Context, places []scanner.Place, report reportFlags) error {
	key, err := p.key()
	if err != nil {
		return err
	}
	store, err := p.store(ctx, key)
	if err != nil {
		return err
	}
	defer store.Close()
	s, free, err := p.scanner(key, store, places)
	if err != nil {
		return err
	}
	defer free()

	began := time.Now()
	failure := p.watch(ctx, s)
	if failure != nil && !errors.Is(failure, scanner.ErrIncomplete) {
		return failure
	}
	p.log.Info("scan ended", "seconds", time.Since(began).Seconds(), "read", s.Progress().Read, "stages", s.Progress().Stages)
	misplaced, err := p.report(ctx, store, s.Policy, filterOf(places), report, &scanSummary{snapshot: s.Progress(), places: places})
	switch {
	case err != nil:
		return errors.Join(failure, err)
	case failure != nil:
		return failure
	case misplaced > 0:
		return errFindings
	}
	return nil
}

// filterOf restricts a report to what was scanned, if that is one source.
func filterOf(places []scanner.Place) findings.Filter {
	if len(places) == 1 {
		return findings.Filter{Source: places[0].Name}
	}
	return findings.Filter{}
}
