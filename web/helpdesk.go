package web

import "strings"

func (p CallPage) about() string {
	return dotted(p.School, strings.Join(p.Groups, ", "), p.Holder, systemName(p.System))
}
