//go:build !unix

package library

import "os"

// mapped returns the content of a file.
func mapped(name string) ([]byte, error) { return os.ReadFile(name) }
