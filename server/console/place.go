package console

import (
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// A place in forms: "" is the whole installation, "a" an authority, "a/s" a
// school of it.

func placeValue(b org.Branch) string {
	switch {
	case b.School != "":
		return b.Authority.String() + "/" + b.School.String()
	case b.Authority != "":
		return b.Authority.String()
	}
	return ""
}

func readPlaceValue(value string) org.Branch {
	authority, school, _ := strings.Cut(value, "/")
	return org.Branch{Authority: org.ID(authority), School: org.ID(school)}
}

// placeNames names branches, each looked up once.
type placeNames struct {
	h     *Handler
	c     *gin.Context
	known map[org.Branch]string
}

func (h *Handler) placeNames(c *gin.Context) *placeNames {
	return &placeNames{h: h, c: c, known: map[org.Branch]string{{}: web.T(frame(c).Lang, "place.everywhere")}}
}

// of returns the name of a branch, "" for one that the person may not see.
func (p *placeNames) of(branch org.Branch) string {
	branch.Group = ""
	if name, known := p.known[branch]; known {
		return name
	}
	ctx, who := p.c.Request.Context(), actor(p.c)
	name := ""
	if branch.School != "" {
		if school, err := p.h.Roster.School(ctx, who, branch.School); err == nil {
			name = school.Name
		}
	} else if authorities, err := p.h.Roster.Authorities(ctx, who); err == nil {
		for _, authority := range authorities {
			p.known[org.Branch{Authority: authority.ID}] = authority.Name
		}
		name = p.known[branch]
	}
	p.known[branch] = name
	return name
}

// workplaces lists the branches in which the person may give roles: the own
// schools, and above them what the person administers.
func (h *Handler) workplaces(c *gin.Context) ([]org.Branch, error) {
	ctx, who := c.Request.Context(), actor(c)
	var list []org.Branch
	if may.Can(who, may.StaffWrite, org.Branch{}) {
		list = append(list, org.Branch{})
	}
	if may.Anywhere(who, may.SchoolCreate) {
		authorities, err := h.Roster.Authorities(ctx, who)
		if err != nil {
			return nil, err
		}
		for _, authority := range authorities {
			if branch := (org.Branch{Authority: authority.ID}); may.Can(who, may.StaffWrite, branch) {
				list = append(list, branch)
			}
		}
	}
	const most = 200
	schools, _, err := h.Roster.Schools(ctx, who, "", "", most)
	if err != nil {
		return nil, err
	}
	for _, school := range schools {
		if may.Can(who, may.StaffWrite, school.Branch()) {
			list = append(list, school.Branch())
		}
	}
	return list, nil
}

// placeOptions are the places of a form, none where there is one only.
func (h *Handler) placeOptions(c *gin.Context, places []org.Branch, chosen string) []web.Option {
	if len(places) < 2 {
		return nil
	}
	names := h.placeNames(c)
	list := make([]web.Option, len(places))
	for i, branch := range places {
		value := placeValue(branch)
		list[i] = web.Option{Value: value, Label: names.of(branch), Chosen: value == chosen}
	}
	return list
}

// roleOptions are the roles that the person may give in some of the places.
func roleOptions(who may.Actor, places []org.Branch, chosen string) []web.Option {
	var list []web.Option
	for _, role := range may.Roles {
		gives := slices.ContainsFunc(places, func(b org.Branch) bool { return may.Hands(who, may.Grant{Role: role, Branch: b}) })
		if gives {
			list = append(list, web.Option{Value: string(role), Chosen: string(role) == chosen})
		}
	}
	return list
}

// grantOf reads a role and a place of a form. Without a place it is the school
// that the person acts in; a role of the whole authority or installation rises
// to where it belongs.
func (h *Handler) grantOf(c *gin.Context) (may.Grant, error) {
	grant := may.Grant{Role: may.Role(field(c, "role"))}
	if value, there := c.GetPostForm("place"); there {
		grant.Branch = readPlaceValue(value)
	} else {
		branch, err := visitor(c).branch()
		if err != nil {
			return grant, err
		}
		grant.Branch = branch
	}
	switch grant.Role {
	case may.Operator:
		grant.Branch = org.Branch{}
	case may.AuthorityAdmin:
		grant.Branch.School = ""
	}
	return grant, nil
}
