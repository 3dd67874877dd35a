package web

func stepCurrent(on bool) string {
	if on {
		return "step"
	}
	return "false"
}

func (p ImportMapPage) fieldName(field ImportField) string {
	name := p.T("import.field." + field.Name)
	if field.Required {
		return name + " *"
	}
	return name
}

func (f Frame) importResult(row ImportRow) string {
	if row.State != "done" {
		return f.T("import.state." + row.State)
	}
	return f.T("import.counts", "created", row.Created, "updated", row.Updated, "removed", row.Removed)
}

func (p ImportPreviewPage) previewTitle() string {
	return p.T("import.preview.title", "count", p.Create+p.Update+p.Remove)
}

func changeTone(kind string) string {
	switch kind {
	case "create":
		return "ok"
	case "remove":
		return "bad"
	}
	return "info"
}

// importTarget is where what was imported can be seen.
func importTarget(what string) string {
	switch what {
	case "groups":
		return PathGroups
	case "people":
		return PathPeople
	}
	return PathDevices
}
