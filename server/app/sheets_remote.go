package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/api"
)

// remoteTrees asks another server's program interface.
type remoteTrees struct {
	server, token, title string
	branch               org.Branch
	whole                bool
}

// home takes the place that the token speaks for.
func (r *remoteTrees) home(ctx context.Context) error {
	var me api.Me
	if err := r.ask(ctx, http.MethodGet, "/me", nil, &me); err != nil {
		return err
	}
	places := map[org.Branch]bool{}
	for _, role := range me.Roles {
		places[org.Branch{Authority: role.Authority, School: role.School}] = true
	}
	if len(places) > 1 && !places[org.Branch{}] {
		return errors.New("the token speaks for several places: name one with --authority and --school")
	}
	if len(places) == 1 {
		for place := range places {
			r.branch = place
		}
	}
	return nil
}

func (r remoteTrees) export(ctx context.Context) ([]sheet.File, error) {
	query := url.Values{}
	if r.branch.Authority != "" {
		query.Set("authority", r.branch.Authority.String())
	}
	if r.branch.School != "" {
		query.Set("school", r.branch.School.String())
	}
	var list api.List[sheet.File]
	err := r.ask(ctx, http.MethodGet, "/policy-sheets?"+query.Encode(), nil, &list)
	return list.Items, err
}

func (r remoteTrees) plan(ctx context.Context, files []sheet.File) (api.SheetPlan, error) {
	return r.send(ctx, "/plan", files, "")
}

func (r remoteTrees) apply(ctx context.Context, files []sheet.File, token string) (api.SheetPlan, error) {
	return r.send(ctx, "/apply", files, token)
}

func (r remoteTrees) send(ctx context.Context, what string, files []sheet.File, token string) (api.SheetPlan, error) {
	var in api.TreeIn
	in.Body.Authority, in.Body.School, in.Body.Files, in.Body.Whole, in.Body.Title, in.Body.Token = r.branch.Authority, r.branch.School, files, r.whole, r.title, token
	var plan api.SheetPlan
	err := r.ask(ctx, http.MethodPost, "/policy-sheets"+what, in.Body, &plan)
	return plan, err
}

// patience bounds how long a plan may take: a large tree is carried out and
// taken back.
const patience = 2 * time.Minute

func (r remoteTrees) ask(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.server+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var problem api.Problem
		if json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&problem) != nil || problem.Detail == "" {
			return fmt.Errorf("asking the server: %s", response.Status)
		}
		return fmt.Errorf("asking the server: %s (%s)", problem.Detail, problem.Key)
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}
