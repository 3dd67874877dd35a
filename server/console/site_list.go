package console

import (
	"context"
	"strings"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/server/propose"
	"schulwart.org/web"
)

// GET /seiten
func (h *Handler) listSites(c *gin.Context) error {
	who := actor(c)
	lists, err := h.Roster.SiteLists(c.Request.Context(), who)
	if err != nil {
		return err
	}
	rows := make([]web.SiteListRow, len(lists))
	for i, list := range lists {
		const few = 4
		rows[i] = web.SiteListRow{
			ID: list.ID.String(), Name: list.Name, Hosts: list.Sites[:min(few, len(list.Sites))], More: max(0, len(list.Sites)-few),
			Shared: list.Shared, MayEdit: list.MayEdit(who), Changed: list.Changed,
		}
		if list.Owner != who.ID {
			rows[i].Owner = list.OwnerName
		}
	}
	return page(c, web.Sites(web.SitesPage{Frame: frame(c), Lists: rows}))
}

// GET /seiten/neu
func (h *Handler) newSites(c *gin.Context) error {
	return page(c, web.Site(web.SitePage{Frame: frame(c), MayEdit: true}))
}

// GET /seiten/:list
func (h *Handler) showSites(c *gin.Context) error {
	who := actor(c)
	list, err := h.Roster.SiteList(c.Request.Context(), who, param(c, "list"))
	if err != nil {
		return err
	}
	shown := web.SitePage{
		Frame: frame(c), ID: list.ID.String(), Name: list.Name, Hosts: strings.Join(list.Sites, "\n"), Shared: list.Shared, MayEdit: list.MayEdit(who),
	}
	if list.Owner != who.ID {
		shown.Owner = list.OwnerName
	}
	return page(c, web.Site(shown))
}

// POST /seiten/neu, POST /seiten/:list
func (h *Handler) saveSites(c *gin.Context) error {
	v := visitor(c)
	id := param(c, "list")
	hosts, shared := c.PostForm("hosts"), c.PostForm("shared") == "1"
	list, err := h.Roster.SaveSites(c.Request.Context(), v.actor, id, placeOf(v), field(c, "name"), strings.Split(hosts, "\n"), shared)
	if err != nil {
		return again(c, err, func(problem *web.Problem) templ.Component {
			return web.Site(web.SitePage{Frame: v.frame, ID: id.String(), Name: field(c, "name"), Hosts: hosts, Shared: shared, MayEdit: true, Problem: problem})
		})
	}
	h.flash(c.Request.Context(), web.FlashDone, "sites_saved", "name", list.Name)
	return seeOther(c, web.PathSites)
}

// POST /seiten/:list/loeschen
func (h *Handler) deleteSites(c *gin.Context) error {
	if err := h.Roster.DeleteSites(c.Request.Context(), actor(c), param(c, "list")); err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "sites_deleted")
	return seeOther(c, web.PathSites)
}

// Proposer looks at a page and names the hosts that it needs.
type Proposer interface {
	Hosts(ctx context.Context, address string) ([]propose.Host, error)
}

// POST /seiten-vorschlag
func (h *Handler) proposeHosts(c *gin.Context) error {
	address := field(c, "url")
	part := web.ProposalPart{Frame: frame(c), URL: address}
	hosts, err := h.Proposer.Hosts(c.Request.Context(), address)
	if err != nil {
		if part.Problem = problemOf(err); part.Problem == nil {
			return err
		}
		return page(c, web.ProposalFragment(part))
	}
	for _, host := range hosts {
		part.Hosts = append(part.Hosts, web.ProposedHost{Host: host.Name, Why: string(host.Why), Times: host.Times, Chosen: host.Needed})
	}
	return page(c, web.ProposalFragment(part))
}
