package web

import "strings"

func (f Frame) rolesAt(roles []RoleAt) string {
	all := make([]string, len(roles))
	for i, r := range roles {
		all[i] = f.T("role." + string(r.Role))
		if r.Place != "" {
			all[i] += ", " + r.Place
		}
	}
	return strings.Join(all, " · ")
}

func (p InvitePersonPage) mailHint() string {
	if p.Mail {
		return p.T("people.by.mail.hint")
	}
	return p.T("people.by.mail.none")
}

func (m MadeCode) titleKey() string {
	if m.Invite {
		return "made.invite"
	}
	return "made.reset"
}
