package web

import "time"

func (p AuthorityNewPage) mailText() string {
	if p.Mail {
		return p.T("authority.email.mail")
	}
	return p.T("authority.email.paper")
}

// worries counts what an operator should look at.
func (p OperationsPage) worries() int {
	count := 0
	for _, c := range p.Certificates {
		if p.certificateState(c) != StateActive {
			count++
		}
	}
	if p.Backup.Target == "" || p.Backup.Problem != "" {
		count++
	}
	if p.Mail.Problem != "" {
		count++
	}
	for _, check := range p.Checks {
		if check.State == StepFailed {
			count++
		}
	}
	return count
}

func (p OperationsPage) headline() string {
	return p.T("operations.headline", "count", p.worries(), "number", p.inWords(p.worries()))
}

// certificateState warns a month ahead, or a week where renewal is automatic.
func (p OperationsPage) certificateState(c CertificateRow) State {
	left, ahead := c.NotAfter.Sub(p.now()), 30*24*time.Hour
	if c.Auto {
		ahead = 7 * 24 * time.Hour
	}
	switch {
	case left <= 0:
		return StateUnreachable
	case left < ahead:
		return StateDeviating
	}
	return StateActive
}

func (p OperationsPage) lastBackup() string {
	if p.Backup.Last.IsZero() {
		return p.T("time.never")
	}
	return p.When(p.Backup.Last) + ", " + p.Bytes(p.Backup.Size)
}

func (p OperationsPage) databaseName() string {
	if p.Database.Kind == "postgres" {
		return "PostgreSQL"
	}
	return "SQLite"
}

func (c ChainState) mark() State {
	if c.OK {
		return StateActive
	}
	return StateDeviating
}

func (p AuditPage) chainText() string {
	if p.Chain.OK {
		return p.T("audit.chain.ok", "sealed", p.Chain.Sealed, "checked", p.Chain.Checked, "open", p.Chain.Open)
	}
	return p.T("audit.chain.broken", "entry", p.Chain.BrokenAt, "checked", p.Chain.Checked)
}
