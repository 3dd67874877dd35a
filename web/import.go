package web

func stepCurrent(on bool) string {
	if on {
		return "step"
	}
	return "false"
}

// importKinds are what a file can be about, as the roster names them.
var importKinds = []string{"devices", "groups", "teachers", "persons"}

// fieldName is what a column can mean: a device's name is its asset tag.
func (p ImportMapPage) fieldName(field ImportField) string {
	name := p.T("import.field." + field.Name)
	if own := "import.field." + p.What + "." + field.Name; Knows(p.Lang, own) {
		name = p.T(own)
	}
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
	case "teachers":
		return PathPeople
	case "persons":
		return PathGroups
	}
	return PathDevices
}
