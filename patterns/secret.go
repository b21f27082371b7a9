package patterns

// secretRule finds one kind of secret.
type secretRule struct{}
