package web

func (f Frame) templateName(row TemplateRow) string {
	return dotted(row.Title, f.T("templates.version", "version", row.Version))
}

// fileProblem is the fault of the file where it is not told with what is in it.
func (p TemplatesPage) fileProblem() *Problem {
	if p.Opened != nil {
		return nil
	}
	return p.Problem
}

func (f Frame) publisherLine(row PublisherRow) string {
	everywhere := ""
	if row.Everywhere {
		everywhere = f.T("templates.for_all")
	}
	return dotted(everywhere, row.By, f.When(row.At))
}

func (f Frame) proposalLine(one TemplateProposal) string {
	kept := ""
	if one.Kept > 0 {
		kept = f.T("templates.proposal.kept", "count", one.Kept)
	}
	return dotted(f.placeName(one.Place), f.T("templates.proposal.coming", "count", one.Coming), kept)
}

// offerHeadline is the answer: what would change here?
func (p TemplatePage) offerHeadline() string {
	switch {
	case len(p.Coming) == 0:
		return p.T("templates.headline.none")
	case p.Impact == nil || p.Impact.Devices == 0:
		return p.T("templates.headline.no_device", "count", len(p.Coming))
	}
	return p.T("impact.change", "count", p.Impact.Devices)
}
