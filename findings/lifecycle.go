package findings

// Status is where a finding is on its way from seen to solved.
type Status string

// The statuses. People claim, scans confirm: only a scan resolves.
const (
	Open          Status = "open"
	FixClaimed    Status = "fix_claimed"    // a head says it is fixed
	Disputed      Status = "disputed"       // a head says it is no violation
	Resolved      Status = "resolved"       // a scan no longer finds it
	FalsePositive Status = "false_positive" // the officer agrees
	RiskAccepted  Status = "risk_accepted"  // the officer lets it be, until a date
)

// Role is who acts.
type Role string

// The roles.
const (
	Head    Role = "head"    // head of department
	Officer Role = "officer" // security officer
	Scanner Role = "scanner" // the program itself
)
