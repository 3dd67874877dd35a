package console

import (
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/server/board"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// keepState is the shape of what a device reports of a family.
var keepState = map[board.Keep]web.State{
	board.KeepActive: web.StateActive, board.KeepWaiting: web.StatePlanned, board.KeepDeviating: web.StateDeviating, board.KeepUnsent: web.StateAbsent,
}

// settings are the fields that hold on a device, each with its sources and with
// what the device reports.
func (h *Handler) settings(c *gin.Context, d board.Device) []web.Setting {
	known := map[desired.Place]standard.Place{}
	for _, one := range d.Settings {
		for _, source := range one.From {
			if _, ok := known[source.Place]; ok {
				continue
			}
			if place, err := h.Standard.Place(c.Request.Context(), actor(c), source.Place); err == nil {
				known[source.Place] = place
			} else {
				known[source.Place] = standard.Place{Place: source.Place} // above what the person may read: the level is said, the name not
			}
		}
	}
	return settingsOf(d, known)
}

func settingsOf(d board.Device, known map[desired.Place]standard.Place) []web.Setting {
	list := make([]web.Setting, len(d.Settings))
	for i, one := range d.Settings {
		field := fieldOf(one.Family, one.Field)
		value := standard.MaskedValue(one.Family, one.Field, one.Value)
		for j := range one.From {
			one.From[j].Value = standard.MaskedValue(one.Family, one.Field, one.From[j].Value)
		}
		kept := d.Kept[one.Family]
		list[i] = web.Setting{
			Field: field, Value: policyValue(field, value), Hold: string(one.Hold), From: policySources(field, known, one.From), Until: one.Until,
			Ability: string(one.Ability), Missing: one.Missing, State: keepState[kept.State], Since: kept.Since,
		}
		if one.Ability == catalog.NotPossible || one.Missing != "" {
			list[i].State = web.StateAbsent
		}
		if len(kept.Reasons) > 0 && list[i].State == web.StateDeviating {
			list[i].Reason = &web.Sentence{Key: kept.Reasons[0].Code, Args: arguments(kept.Reasons[0].Details)}
		}
	}
	return list
}
