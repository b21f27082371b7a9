package policy

// Policy is the content of policy.yaml.
type Policy struct{}
