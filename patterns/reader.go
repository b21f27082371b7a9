package patterns

// Reader reads the text of one document at a time and says what it holds. It
// is not safe for concurrent use; an Engine makes one for each goroutine.
// Places and kinds of text are those of scanner/extract.
type Reader interface {
	// Begin starts a document and forgets the one before.
	Begin(s Subject, o Options)
	// Text takes a run of text, Row a row of a table; kind is the role of the
	// text (extract.Kind), number the row's number from 1.
	Text(kind, place, text string)
	Row(kind, place string, number int, header bool, cells []string)
	// Finish returns what was found, and the steps if Options.Explain asked
	// for them.
	Finish() (Content, []Step)
}

// Options of one document.
type Options struct {
	// CountTestNumbers treats Skatteverket's test numbers as real, for trials
	// and tests.
	CountTestNumbers bool
	// Explain keeps a Step for every candidate.
	Explain bool
	// Features, unless nil, takes what the document's gist is taken from, for
	// training. It does not reach sandbox children.
	Features func(GistFeatures) `json:"-"`
}
