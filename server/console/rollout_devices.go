package console

import (
	"strconv"

	"github.com/gin-gonic/gin"

	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/rollout"
	"schulwart.org/web"
)

// outcomes are the words by which the page narrows devices down.
var outcomes = map[string]ground.Outcome{
	"failed": ground.OutcomeFailed, "verified": ground.OutcomeVerified, "pending": ground.OutcomePending, "unable": ground.OutcomeUnable, "unlicensed": ground.OutcomeUnlicensed, "none": ground.OutcomeNone,
}

// GET /verteilungen/:rollout/geraete
func (h *Handler) listRolloutDevices(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	view, err := h.Rollouts.Find(ctx, v.actor, param(c, "rollout"))
	if err != nil {
		return err
	}
	ring, _ := strconv.Atoi(query(c, "ring"))
	shown := web.RolloutDevicesPage{Frame: v.frame, Row: rolloutRow(view.Rollout), Ring: ring, How: query(c, "wie"), Reason: query(c, "grund")}
	filter := rollout.DeviceFilter{Ring: max(0, ring), Reason: shown.Reason, After: query(c, "cursor")}
	if outcome, known := outcomes[shown.How]; known {
		filter.Outcome = &outcome
	}
	filter.Ailing = shown.How == "ailing"
	devices, next, err := h.Rollouts.Devices(ctx, v.actor, view.ID, filter)
	if err != nil {
		return err
	}
	shown.Total, shown.Pager = fitting(view, filter), pager(c, next, len(devices))
	shown.Pager.Total = shown.Total
	for _, how := range []string{"", "failed", "ailing", "verified", "pending", "unable", "unlicensed", "none"} {
		shown.Filter = append(shown.Filter, web.Option{Value: how, Label: web.T(v.frame.Lang, "rollout.filter."+map[bool]string{true: "all", false: how}[how == ""]), Chosen: how == shown.How && shown.Reason == ""})
	}
	for _, reason := range view.Reasons {
		shown.Reasons = append(shown.Reasons, web.RolloutReason{Code: reason.Code, Details: reason.Details, Devices: reason.Devices})
	}
	for _, device := range devices {
		shown.Rows = append(shown.Rows, rolloutDevice(device))
	}
	return page(c, web.RolloutDevices(shown))
}

// fitting says how many devices a filter lets through, from the figures.
func fitting(view rollout.View, filter rollout.DeviceFilter) int {
	if filter.Reason != "" {
		for _, reason := range view.Reasons {
			if reason.Code == filter.Reason {
				return reason.Devices
			}
		}
		return 0
	}
	n := 0
	for i, f := range view.Rings {
		if filter.Ring > 0 && filter.Ring != i+1 {
			continue
		}
		if filter.Ailing {
			n += f.Ailing
			continue
		}
		if filter.Outcome == nil {
			n += f.Devices
			continue
		}
		n += map[ground.Outcome]int{
			ground.OutcomeFailed: f.Failed, ground.OutcomeVerified: f.Verified, ground.OutcomePending: f.Begun, ground.OutcomeUnable: f.Unable, ground.OutcomeUnlicensed: f.Unlicensed,
			ground.OutcomeNone: f.Devices - f.Failed - f.Verified - f.Begun - f.Unable - f.Unlicensed,
		}[*filter.Outcome]
	}
	return n
}

func rolloutDevice(d rollout.DeviceView) web.RolloutDevice {
	row := web.RolloutDevice{ID: d.ID.String(), Name: d.Name, Ring: d.Ring + 1, Outcome: string(d.Outcome), Offered: d.Offered, Ailing: d.Ailing}
	if d.Word != nil {
		row.Present, row.Said, row.Tries = d.Word.Present, d.Word.At, d.Word.Tries
		if d.Word.Reason != nil {
			row.Reason = &web.RolloutReason{Code: d.Word.Reason.Code, Details: d.Word.Reason.Details}
		}
	}
	return row
}
