package picture

// What the tests of broken photos ask past recognition, which takes longer
// than they have.
var (
	DecodeHEIF = decodeHEIF
	ErrTiny    = errTiny
)
