package console

import (
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

func groupRef(g roster.Group) web.GroupRef {
	return web.GroupRef{ID: g.ID.String(), Name: g.Name, Kind: web.GroupKind(g.Kind)}
}

// param is an id in the path of a request.
func param(c *gin.Context, name string) org.ID { return org.ID(c.Param(name)) }

// field is a trimmed value of a form.
func field(c *gin.Context, name string) string { return strings.TrimSpace(c.PostForm(name)) }

// query is a trimmed value of the address.
func query(c *gin.Context, name string) string { return strings.TrimSpace(c.Query(name)) }

// number is a whole number of a form, the fallback where there is none.
func number(c *gin.Context, name string, fallback int) int {
	if n, err := strconv.Atoi(field(c, name)); err == nil {
		return n
	}
	return fallback
}

// ticked lists a repeated value of a form as ids.
func ticked(c *gin.Context, name string) []org.ID { return toIDs(c.PostFormArray(name)) }

func toIDs(values []string) []org.ID {
	var ids []org.ID
	for _, value := range values {
		if value = strings.TrimSpace(value); value != "" {
			ids = append(ids, org.ID(value))
		}
	}
	return ids
}

// texts turns ids into the values of a form.
func texts(ids []org.ID) []string {
	list := make([]string, len(ids))
	for i, one := range ids {
		list[i] = one.String()
	}
	return list
}

// pager leads through a list; path is the address of the list with its filters
// and without a cursor.
func pager(c *gin.Context, next string, shown int) web.Pager {
	values := c.Request.URL.Query()
	at := values.Get("cursor")
	p := web.Pager{Shown: shown, Total: -1}
	values.Del("cursor")
	if at != "" {
		p.First = address(c, values.Encode())
	}
	if next != "" {
		values.Set("cursor", next)
		p.Next = address(c, values.Encode())
	}
	return p
}

func address(c *gin.Context, query string) string {
	if query == "" {
		return c.Request.URL.Path
	}
	return c.Request.URL.Path + "?" + query
}
