// Package accuracy measures how well documents are judged, on a labelled
// Swedish corpus written for it. README.md tells its format.
package accuracy
