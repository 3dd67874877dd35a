package gateway

import (
	"net/http"
	"strconv"

	"schulwart.org/policies/work"
	"schulwart.org/server/checkin"
	"schulwart.org/server/errs"
	"schulwart.org/server/httpx"
)

// own returns the enrolled device that made this very connection: what is handed
// in or fetched is no message that somebody else could carry. A door that has
// nothing for it is absent.
func (g *Gateway) own(r *http.Request, has bool, absent error) (checkin.Enrolment, error) {
	speaker, err := g.connected(r)
	if err != nil {
		return checkin.Enrolment{}, err
	}
	e, err := g.know(r.Context(), speaker)
	if err != nil {
		return e, err
	}
	if err := enrolled(e); err != nil {
		return e, err
	}
	if !has {
		return e, absent
	}
	g.CheckIn.Seen(e)
	return e, nil
}

// GET /work/{exam}/{ticket}/given/{hash}/{n}
func (g *Gateway) handOut(w http.ResponseWriter, r *http.Request) error {
	e, err := g.own(r, g.Work != nil, errNoWork)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || !work.IsHash(r.PathValue("hash")) {
		return errs.E(errs.NotFound, "exam.no_such_file")
	}
	piece, err := g.Work.HandOut(r.Context(), e, r.PathValue("exam"), r.PathValue("ticket"), r.PathValue("hash"), n)
	if err != nil {
		return err
	}
	g.count("given")
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = w.Write(piece)
	return err
}

// PUT /work/{exam}/{ticket}/piece/{hash}
func (g *Gateway) takePiece(w http.ResponseWriter, r *http.Request) error {
	e, err := g.own(r, g.Work != nil, errNoWork)
	if err != nil {
		return err
	}
	if !work.IsHash(r.PathValue("hash")) {
		return errs.E(errs.Invalid, "exam.work_unreadable")
	}
	sealed, err := httpx.Body(w, r, largestPiece)
	if err != nil {
		return err
	}
	if err := g.Work.TakePiece(r.Context(), e, r.PathValue("exam"), r.PathValue("ticket"), r.PathValue("hash"), sealed); err != nil {
		return err
	}
	g.count("work_piece")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// PUT /work/{exam}/{ticket}/list
func (g *Gateway) takeList(w http.ResponseWriter, r *http.Request) error {
	e, err := g.own(r, g.Work != nil, errNoWork)
	if err != nil {
		return err
	}
	sealed, err := httpx.Body(w, r, largestList)
	if err != nil {
		return err
	}
	receipt, err := g.Work.TakeList(r.Context(), e, r.PathValue("exam"), r.PathValue("ticket"), sealed)
	if err != nil {
		return err
	}
	g.count("work_list")
	return answer(w, receipt)
}
