package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/shelf"
)

// ShelfEntry is an app that a school lets people pick.
type ShelfEntry struct {
	ID     org.ID         `json:"id"`
	School org.ID         `json:"school"`
	App    RolloutPackage `json:"package"`
	For    shelf.Audience `json:"for" enum:"pupils,teachers,all"`
	Group  *Named         `json:"group,omitempty" doc:"Only its devices, and who teaches it."`
	Staff  *Named         `json:"teacher,omitempty" doc:"Only this one."`
	Picked int            `json:"picked" doc:"Devices that have picked it."`
	At     time.Time      `json:"at"`
}

// ShelfOffer is an entry as somebody reads it who may pick it.
type ShelfOffer struct {
	ShelfEntry
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Licence     string       `json:"licence,omitempty"`
	Cost        *LicenceCost `json:"cost,omitempty" doc:"Of one licence."`
	Free        *int         `json:"free,omitempty" doc:"Licences that are left, where they are counted."`
	Wish        *AppWish     `json:"wish,omitempty" doc:"Of the device that was named."`
}

// AppWish is an app that was picked for a device.
type AppWish struct {
	ID     org.ID         `json:"id"`
	Device Named          `json:"device"`
	App    RolloutPackage `json:"package"`
	State  shelf.State    `json:"state" enum:"ordered,unlicensed,waiting,loading,installing,there,failed,unable"`
	Reason string         `json:"reason,omitempty" doc:"The device's, for waiting or failing."`
	By     *Named         `json:"by,omitempty" doc:"A teacher; left out for whoever sat at the device."`
	At     time.Time      `json:"at"`
}

// AppRequest is an app that a teacher asks for.
type AppRequest struct {
	ID       org.ID       `json:"id"`
	School   org.ID       `json:"school"`
	Teacher  Named        `json:"teacher"`
	Package  org.ID       `json:"package,omitempty" doc:"Of the catalogue."`
	Title    string       `json:"title"`
	Why      string       `json:"why,omitempty"`
	At       time.Time    `json:"at"`
	Answer   shelf.Answer `json:"answer" enum:"open,granted,refused"`
	Reason   string       `json:"reason,omitempty" doc:"Why the school said no."`
	Answered *time.Time   `json:"answered_at"`
}

func entryOut(e shelf.Entry) ShelfEntry {
	out := ShelfEntry{ID: e.ID, School: e.Branch.School, App: packageOut(e.Package), For: e.For, Picked: e.Picked, At: e.At}
	if e.Group != "" {
		out.Group = &Named{e.Group, e.GroupName}
	}
	if e.Staff != "" {
		out.Staff = &Named{e.Staff, e.StaffName}
	}
	return out
}

func wishOut(w shelf.Wish) AppWish {
	out := AppWish{ID: w.ID, Device: Named{w.Device, w.DeviceName}, App: packageOut(w.Package), State: w.State(), At: w.At}
	if w.Said != nil && w.Said.Reason != nil {
		out.Reason = w.Said.Reason.Code
	}
	if w.By != "" {
		out.By = &Named{w.By, w.ByName}
	}
	return out
}

func shelfOfferOut(lang string) func(shelf.Offer) ShelfOffer {
	return func(o shelf.Offer) ShelfOffer {
		out := ShelfOffer{ShelfEntry: entryOut(o.Entry), Title: o.Package.Title.In(lang), Description: o.Package.Description.In(lang), Licence: o.Package.Licence}
		if out.Title == "" {
			out.Title = o.Package.Name
		}
		out.Cost = costOut(licenceCost(o.Terms))
		if o.Counted {
			out.Free = &o.Free
		}
		if o.Wish != nil {
			wish := wishOut(*o.Wish)
			out.Wish = &wish
		}
		return out
	}
}

func requestOut(r shelf.Request) AppRequest {
	return AppRequest{ID: r.ID, School: r.Branch.School, Teacher: Named{r.Staff, r.StaffName}, Package: r.Package, Title: r.Title, Why: r.Why, At: r.At, Answer: r.Answer, Reason: r.Reason, Answered: instantOut(r.Answered)}
}

type ofSchool struct {
	School org.ID `path:"school" maxLength:"64"`
}

type newEntryIn struct {
	School org.ID `path:"school" maxLength:"64"`
	Body   struct {
		Package org.ID         `json:"package" maxLength:"64"`
		For     shelf.Audience `json:"for" enum:"pupils,teachers,all"`
		Group   org.ID         `json:"group,omitempty" maxLength:"64"`
	}
}

type offersIn struct {
	School org.ID `query:"school" required:"true" maxLength:"64"`
	Device org.ID `query:"device" maxLength:"64" doc:"For which it would be picked."`
}

type newWishIn struct {
	Body struct {
		Device org.ID `json:"device" maxLength:"64"`
		Entry  org.ID `json:"entry" maxLength:"64"`
	}
}

type newRequestIn struct {
	Body struct {
		School  org.ID `json:"school" maxLength:"64"`
		Package org.ID `json:"package,omitempty" maxLength:"64" doc:"Of the catalogue; or else a title."`
		Title   string `json:"title,omitempty" maxLength:"200"`
		Why     string `json:"why,omitempty" maxLength:"500"`
	}
}

type grantIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Package     org.ID `json:"package,omitempty" maxLength:"64" doc:"Where the request names none."`
		AllTeachers bool   `json:"all_teachers,omitempty" doc:"Not only whoever asked."`
	}
}

type refuseIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"The teacher reads it."`
	}
}

func registerShelf(d *door) {
	handle(d, op{id: "list-shelf", method: http.MethodGet, path: "/api/v1/shelves/{school}", summary: "List what a school lets people pick", needs: may.AppRead}, d.shelfEntries)
	handle(d, op{id: "add-shelf-entry", method: http.MethodPost, path: "/api/v1/shelves/{school}", summary: "Let people pick an app", needs: may.ShelfWrite, status: http.StatusCreated}, d.addShelfEntry)
	handle(d, op{id: "remove-shelf-entry", method: http.MethodDelete, path: "/api/v1/shelf-entries/{id}", summary: "Let nobody pick an app any more, and take it from who did", needs: may.ShelfWrite, status: http.StatusNoContent}, d.removeShelfEntry)
	handle(d, op{id: "list-shelf-wishes", method: http.MethodGet, path: "/api/v1/shelves/{school}/wishes", summary: "List what was picked in a school", needs: may.AppRead}, d.shelfWishes)
	handle(d, op{id: "list-shelf-requests", method: http.MethodGet, path: "/api/v1/shelves/{school}/requests", summary: "List what teachers of a school ask for", needs: may.ShelfWrite}, d.shelfRequests)
	handle(d, op{id: "list-app-offers", method: http.MethodGet, path: "/api/v1/app-offers", summary: "List what the caller may pick, as a teacher", needs: may.AppAsk}, d.appOffers)
	handle(d, op{id: "pick-app", method: http.MethodPost, path: "/api/v1/app-wishes", summary: "Pick an app for a device", needs: may.AppAsk, status: http.StatusNoContent}, d.pickApp)
	handle(d, op{id: "return-app", method: http.MethodDelete, path: "/api/v1/app-wishes/{id}", summary: "Give a picked app back", needs: may.AppAsk, status: http.StatusNoContent}, d.returnApp)
	handle(d, op{id: "list-app-requests", method: http.MethodGet, path: "/api/v1/app-requests", summary: "List what the caller asked for", needs: may.AppAsk}, d.myAppRequests)
	handle(d, op{id: "ask-for-app", method: http.MethodPost, path: "/api/v1/app-requests", summary: "Ask the school for an app", needs: may.AppAsk, status: http.StatusCreated}, d.askForApp)
	handle(d, op{id: "grant-app-request", method: http.MethodPost, path: "/api/v1/app-requests/{id}/grant", summary: "Say yes: the teacher may pick the app", needs: may.ShelfWrite}, d.grantApp)
	handle(d, op{id: "refuse-app-request", method: http.MethodPost, path: "/api/v1/app-requests/{id}/refuse", summary: "Say no, with a reason", needs: may.ShelfWrite}, d.refuseApp)
}

func (d *door) shelfEntries(ctx context.Context, actor may.Actor, in *ofSchool) (*body[List[ShelfEntry]], error) {
	list, err := d.Shelf.List(ctx, actor, in.School)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", entryOut), nil
}

func (d *door) addShelfEntry(ctx context.Context, actor may.Actor, in *newEntryIn) (*body[ShelfEntry], error) {
	entry, err := d.Shelf.Add(ctx, actor, shelf.New{School: in.School, Package: in.Body.Package, For: in.Body.For, Group: in.Body.Group})
	if err != nil {
		return nil, err
	}
	return &body[ShelfEntry]{entryOut(entry)}, nil
}

func (d *door) removeShelfEntry(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Shelf.Remove(ctx, actor, in.ID)
}

func (d *door) shelfWishes(ctx context.Context, actor may.Actor, in *ofSchool) (*body[List[AppWish]], error) {
	list, err := d.Shelf.Picked(ctx, actor, in.School)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", wishOut), nil
}

func (d *door) shelfRequests(ctx context.Context, actor may.Actor, in *ofSchool) (*body[List[AppRequest]], error) {
	list, err := d.Shelf.Requests(ctx, actor, in.School)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", requestOut), nil
}

func (d *door) appOffers(ctx context.Context, actor may.Actor, in *offersIn) (*body[List[ShelfOffer]], error) {
	mine, err := d.Shelf.Mine(ctx, actor, in.School, in.Device)
	if err != nil {
		return nil, err
	}
	return listOf(mine.Offers, "", shelfOfferOut(askedOf(ctx).lang)), nil
}

func (d *door) pickApp(ctx context.Context, actor may.Actor, in *newWishIn) (*struct{}, error) {
	return nil, d.Shelf.Pick(ctx, actor, in.Body.Device, in.Body.Entry)
}

func (d *door) returnApp(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Shelf.Return(ctx, actor, in.ID)
}

func (d *door) myAppRequests(ctx context.Context, actor may.Actor, _ *struct{}) (*body[List[AppRequest]], error) {
	list, err := d.Shelf.MyRequests(ctx, actor)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", requestOut), nil
}

func (d *door) askForApp(ctx context.Context, actor may.Actor, in *newRequestIn) (*body[AppRequest], error) {
	b := in.Body
	return requestBody(d.Shelf.Ask(ctx, actor, shelf.NewRequest{School: b.School, Package: b.Package, Title: b.Title, Why: b.Why}))
}

func (d *door) grantApp(ctx context.Context, actor may.Actor, in *grantIn) (*body[AppRequest], error) {
	return requestBody(d.Shelf.Grant(ctx, actor, in.ID, in.Body.Package, in.Body.AllTeachers))
}

func (d *door) refuseApp(ctx context.Context, actor may.Actor, in *refuseIn) (*body[AppRequest], error) {
	return requestBody(d.Shelf.Refuse(ctx, actor, in.ID, in.Body.Reason))
}

func requestBody(r shelf.Request, err error) (*body[AppRequest], error) {
	if err != nil {
		return nil, err
	}
	return &body[AppRequest]{requestOut(r)}, nil
}
