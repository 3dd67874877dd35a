package api

import (
	"context"
	"net/http"

	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Sheets is the part of the standard room that keeps policies as files.
type Sheets interface {
	Sheets(ctx context.Context, actor may.Actor, branch org.Branch) ([]sheet.Sheet, error)
	PlanSheets(ctx context.Context, actor may.Actor, tree standard.Tree) (standard.Plan, error)
	ApplySheets(ctx context.Context, actor may.Actor, tree standard.Tree, token string) (standard.Plan, error)
}

// SheetDifference is one thing that differs between what is and what a tree of
// sheets asks for.
type SheetDifference struct {
	Place  SheetPlace `json:"place"`
	What   sheet.What `json:"what" enum:"added,changed,removed"`
	About  string     `json:"about" doc:"Family and field; of an exception with its reason." example:"usb-storage.access"`
	Before any        `json:"before,omitempty"`
	After  any        `json:"after,omitempty"`
}

// SheetPlace names a place as sheets do; nothing at all is the installation.
type SheetPlace struct {
	Authority string `json:"authority,omitempty"`
	School    string `json:"school,omitempty"`
	Group     string `json:"group,omitempty"`
	Device    string `json:"device,omitempty"`
}

// SheetFault is what is wrong in a sheet, and where.
type SheetFault struct {
	Key   string            `json:"key"`
	Field string            `json:"field"`
	Args  map[string]string `json:"args,omitempty"`
	File  string            `json:"file"`
	Line  int               `json:"line" doc:"From 1; 0 if it is about the whole file."`
}

// SheetPlan is what a tree of sheets would change, or has changed.
type SheetPlan struct {
	Differences []SheetDifference `json:"differences" nullable:"false" doc:"What differs, deletions included; secrets are masked."`
	Faults      []SheetFault      `json:"faults" nullable:"false" doc:"What stands in the way, by file and line. With any of them nothing was changed."`
	Token       string            `json:"token" doc:"Names this plan. Given back with apply, nothing else is carried out."`
	Waiting     []org.ID          `json:"waiting" nullable:"false" doc:"Drafts that a second person has to approve."`
	Asked       []org.ID          `json:"asked" nullable:"false" doc:"Exceptions of which a second person has to decide something."`
}

type sheetsIn struct {
	Authority org.ID `query:"authority" maxLength:"64" doc:"Only this authority and what is below it."`
	School    org.ID `query:"school" maxLength:"64" doc:"Only this school; needs its authority."`
}

// mostTree bounds a tree of sheets: one for each place of a large installation.
const mostTree = 16 << 20

// TreeIn is a tree of sheets with what shall become of it.
type TreeIn struct {
	Body struct {
		Authority org.ID       `json:"authority,omitempty" doc:"What the sheets are about; the whole installation if it is left out."`
		School    org.ID       `json:"school,omitempty" doc:"Needs its authority."`
		Files     []sheet.File `json:"files" maxItems:"2000" nullable:"false"`
		Whole     bool         `json:"whole,omitempty" doc:"The tree is complete: a place without a sheet shall say nothing."`
		Title     string       `json:"title,omitempty" maxLength:"120" doc:"Stands in the history."`
		Token     string       `json:"token,omitempty" doc:"Of the plan that shall be carried out; for apply."`
	}
}

func registerSheets(d *door) {
	handle(d, op{id: "list-policy-sheets", method: http.MethodGet, path: "/api/v1/policy-sheets", summary: "Write policies as sheets", needs: may.PolicyRead}, d.listSheets)
	handle(d, op{id: "plan-policy-sheets", method: http.MethodPost, path: "/api/v1/policy-sheets/plan", summary: "Say what sheets would change", needs: may.PolicyPropose, most: mostTree}, d.planSheets)
	handle(d, op{id: "apply-policy-sheets", method: http.MethodPost, path: "/api/v1/policy-sheets/apply", summary: "Make policies as the sheets want them", needs: may.PolicyPropose, most: mostTree}, d.applySheets)
}

func (d *door) listSheets(ctx context.Context, actor may.Actor, in *sheetsIn) (*body[List[sheet.File]], error) {
	sheets, err := d.Sheets.Sheets(ctx, actor, org.Branch{Authority: in.Authority, School: in.School})
	if err != nil {
		return nil, err
	}
	files, err := standard.Written(sheets)
	return listOf(files, "", func(f sheet.File) sheet.File { return f }), err
}

func (in *TreeIn) tree() standard.Tree {
	return standard.Tree{Branch: org.Branch{Authority: in.Body.Authority, School: in.Body.School}, Files: in.Body.Files, Whole: in.Body.Whole, Title: in.Body.Title}
}

func (d *door) planSheets(ctx context.Context, actor may.Actor, in *TreeIn) (*body[SheetPlan], error) {
	plan, err := d.Sheets.PlanSheets(ctx, actor, in.tree())
	return &body[SheetPlan]{SheetPlanOf(plan)}, err
}

func (d *door) applySheets(ctx context.Context, actor may.Actor, in *TreeIn) (*body[SheetPlan], error) {
	plan, err := d.Sheets.ApplySheets(ctx, actor, in.tree(), in.Body.Token)
	return &body[SheetPlan]{SheetPlanOf(plan)}, err
}

// SheetPlanOf writes a plan as programs read it.
func SheetPlanOf(plan standard.Plan) SheetPlan {
	said := SheetPlan{Differences: []SheetDifference{}, Faults: []SheetFault{}, Token: plan.Token, Waiting: []org.ID{}, Asked: []org.ID{}}
	for _, d := range plan.Differences {
		said.Differences = append(said.Differences, SheetDifference{SheetPlace(d.Place), d.What, d.About, d.Before, d.After})
	}
	for _, f := range plan.Faults {
		said.Faults = append(said.Faults, SheetFault{f.Key, f.Field, f.Args, f.File, f.Line})
	}
	for _, draft := range plan.Waiting {
		said.Waiting = append(said.Waiting, draft.ID)
	}
	for _, e := range plan.Asked {
		said.Asked = append(said.Asked, e.ID)
	}
	return said
}
