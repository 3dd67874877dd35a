package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/api"
	"schulwart.org/server/config"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// ErrChanges says that a plan found something to change: exit code 2, so that a
// job of continuous integration can tell it from an error.
var ErrChanges = errors.New("there are changes")

// schemaFile lies beside the sheets; editors complete and check by it.
const schemaFile = "schema.json"

// trees is where policies are kept: the database of this machine, or another
// server reached by its program interface.
type trees interface {
	export(ctx context.Context) ([]sheet.File, error)
	plan(ctx context.Context, files []sheet.File) (api.SheetPlan, error)
	apply(ctx context.Context, files []sheet.File, token string) (api.SheetPlan, error)
}

// Export writes policies as sheets into a folder. A sheet that lies there already
// keeps its comments.
func Export(ctx context.Context, c *config.SheetsCommand, t Terminal) error {
	return keptBy(ctx, c, func(k trees) error {
		files, err := k.export(ctx)
		if err != nil {
			return err
		}
		if err := writeSchema(c.Dir); err != nil {
			return err
		}
		former, err := readTree(c.Dir)
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := writeSheet(c.Dir, file, former); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(t.Out, "%d sheets in %s\n", len(files), c.Dir)
		return err
	})
}

// PlanTree prints what a folder of sheets would change. The error is ErrChanges
// if there is something.
func PlanTree(ctx context.Context, c *config.SheetsCommand, t Terminal) error {
	return keptBy(ctx, c, func(k trees) error {
		files, err := readTree(c.Dir)
		if err != nil {
			return err
		}
		plan, err := k.plan(ctx, files)
		if err != nil {
			return err
		}
		return show(c, t, plan, "to change")
	})
}

// ApplyTree makes policies as a folder of sheets wants them, all or nothing.
func ApplyTree(ctx context.Context, c *config.SheetsCommand, t Terminal) error {
	return keptBy(ctx, c, func(k trees) error {
		files, err := readTree(c.Dir)
		if err != nil {
			return err
		}
		plan, err := k.apply(ctx, files, c.Plan)
		if err != nil {
			return err
		}
		if err := show(c, t, plan, "changed"); err != nil && !errors.Is(err, ErrChanges) {
			return err
		}
		if len(plan.Waiting) > 0 {
			_, err = fmt.Fprintf(t.Out, "%d drafts wait for a second person.\n", len(plan.Waiting))
		}
		if err == nil && len(plan.Asked) > 0 {
			_, err = fmt.Fprintf(t.Out, "%d exceptions wait for a second person.\n", len(plan.Asked))
		}
		return err
	})
}

// show prints a plan as text or JSON. Faults are an error.
func show(c *config.SheetsCommand, t Terminal, plan api.SheetPlan, what string) error {
	if c.JSON {
		encoder := json.NewEncoder(t.Out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(plan); err != nil {
			return err
		}
	} else if err := tell(t.Out, c.Lang, plan, what); err != nil {
		return err
	}
	switch {
	case len(plan.Faults) > 0:
		return fmt.Errorf("%d faults; nothing was changed", len(plan.Faults))
	case len(plan.Differences) > 0:
		return ErrChanges
	}
	return nil
}

func tell(out io.Writer, lang string, plan api.SheetPlan, what string) error {
	var text strings.Builder
	for _, f := range plan.Faults {
		var args []any
		for name, value := range f.Args {
			args = append(args, name, value)
		}
		said := web.T(lang, "error."+f.Key, args...)
		if f.Field != "" {
			said = f.Field + ": " + said
		}
		fmt.Fprintf(&text, "%s:%d: %s\n", f.File, f.Line, said)
	}
	place := "\x00"
	for _, d := range plan.Differences {
		if name := sheet.Place(d.Place).String(); name != place {
			place = name
			if name == "" {
				name = "(installation)"
			}
			fmt.Fprintf(&text, "%s\n", name)
		}
		switch d.What {
		case sheet.Added:
			fmt.Fprintf(&text, "  + %s: %s\n", d.About, brief(d.After))
		case sheet.Removed:
			fmt.Fprintf(&text, "  - %s: %s\n", d.About, brief(d.Before))
		default:
			fmt.Fprintf(&text, "  ~ %s: %s -> %s\n", d.About, brief(d.Before), brief(d.After))
		}
	}
	if len(plan.Faults) == 0 {
		if len(plan.Differences) == 0 {
			text.WriteString("Nothing to change.\n")
		} else {
			fmt.Fprintf(&text, "%d %s. Plan %s\n", len(plan.Differences), what, plan.Token)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func brief(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

// readTree reads every sheet below a folder, by the path from there.
func readTree(dir string) ([]sheet.File, error) {
	var files []sheet.File
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != dir && strings.HasPrefix(name, ".") {
			return filepath.SkipDir
		}
		if ext := strings.ToLower(filepath.Ext(path)); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			return nil
		}
		data, err := readSheet(path)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(dir, path)
		files = append(files, sheet.File{Path: filepath.ToSlash(short), Content: string(data)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading sheets: %w", err)
	}
	return files, nil
}

// readSheet reads no more of a file than tells that it is too long.
func readSheet(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, sheet.MostText+1))
}

// writeSheet writes one sheet, into the file that is about the same place if
// there is one.
func writeSheet(dir string, file sheet.File, former []sheet.File) error {
	fresh, faults := sheet.Read(file)
	if len(faults) > 0 {
		return fmt.Errorf("reading %s: %s", file.Path, faults[0].Key)
	}
	for _, old := range former {
		known, faults := sheet.Read(old)
		if len(faults) > 0 {
			continue // what cannot be read is not touched
		}
		if known.Place == fresh.Place {
			text, err := sheet.Write(fresh, old.Content)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, filepath.FromSlash(old.Path)), []byte(text), 0o600)
		}
	}
	path := filepath.Join(dir, filepath.FromSlash(file.Path))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing sheets: %w", err)
	}
	// Editors look for the schema beside the folder's top.
	up := strings.Repeat("../", strings.Count(file.Path, "/"))
	return os.WriteFile(path, []byte(strings.Replace(file.Content, "$schema="+schemaFile, "$schema="+up+schemaFile, 1)), 0o600)
}

func writeSchema(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing sheets: %w", err)
	}
	data, err := json.MarshalIndent(sheet.Schema(func(key string) string { return web.T("en", key) }), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, schemaFile), append(data, '\n'), 0o600)
}

// keptBy opens what the command is about.
func keptBy(ctx context.Context, c *config.SheetsCommand, do func(trees) error) error {
	branch := org.Branch{Authority: org.ID(c.Authority), School: org.ID(c.School)}
	if c.Server != "" {
		token := c.Token
		if c.TokenFile != "" {
			data, err := os.ReadFile(c.TokenFile)
			if err != nil {
				return fmt.Errorf("reading the token: %w", err)
			}
			token = strings.TrimSpace(string(data))
		}
		far := remoteTrees{server: strings.TrimRight(c.Server, "/"), token: token, branch: branch, whole: c.Whole, title: c.Title}
		if branch == (org.Branch{}) {
			if err := far.home(ctx); err != nil {
				return err
			}
		}
		return do(far)
	}
	return with(ctx, &c.Serve, func(a *App) error {
		return do(localTrees{a.Standard, standard.Tree{Branch: branch, Whole: c.Whole, Title: c.Title}})
	})
}

type localTrees struct {
	room *standard.Service
	tree standard.Tree
}

func (l localTrees) export(ctx context.Context) ([]sheet.File, error) {
	sheets, err := l.room.Sheets(ctx, root(), l.tree.Branch)
	if err != nil {
		return nil, err
	}
	return standard.Written(sheets)
}

func (l localTrees) plan(ctx context.Context, files []sheet.File) (api.SheetPlan, error) {
	l.tree.Files = files
	plan, err := l.room.PlanSheets(ctx, root(), l.tree)
	return api.SheetPlanOf(plan), err
}

func (l localTrees) apply(ctx context.Context, files []sheet.File, token string) (api.SheetPlan, error) {
	l.tree.Files = files
	plan, err := l.room.ApplySheets(ctx, root(), l.tree, token)
	return api.SheetPlanOf(plan), err
}
