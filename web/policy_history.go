package web

// placeShort is a place's name alone.
func (f Frame) placeShort(p PolicyPlace) string {
	if p.Name == "" {
		return f.T("policy.level." + p.Level)
	}
	return p.Name
}

// revisionLine says who published it when, and who approved it.
func (f Frame) revisionLine(row RevisionRow) string {
	if row.ApprovedBy != "" {
		return f.T("history.by_two", "by", row.By, "second", row.ApprovedBy, "at", row.At)
	}
	return f.T("history.by", "by", row.By, "at", row.At)
}
