package store

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
)

// AddRecords appends to the evidence of an examination.
func (s *Store) AddRecords(ctx context.Context, e exam.Exam, records []exam.Record) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error { return s.addRecords(ctx, tx, e, records) })
}

func (s *Store) addRecords(ctx context.Context, tx Tx, e exam.Exam, records []exam.Record) error {
	for _, r := range records {
		known, err := collect(ctx, tx, func(row scanner) (int, error) {
			var n int
			return n, row.Scan(&n)
		}, `SELECT 1 FROM exam_records WHERE authority = $1 AND exam = $2 AND device = $3 AND about = $4 AND about <> '' LIMIT 1`, e.Branch.Authority, e.ID, r.Device, r.About)
		if err != nil {
			return err
		}
		if len(known) > 0 {
			continue
		}
		heads, err := collect(ctx, tx, func(row scanner) (exam.Record, error) {
			var head exam.Record
			return head, row.Scan(&head.Seq, &head.Hash)
		}, `SELECT seq, hash FROM exam_records WHERE authority = $1 AND exam = $2 AND device = $3 ORDER BY seq DESC LIMIT 1`, e.Branch.Authority, e.ID, r.Device)
		if err != nil {
			return err
		}
		var head exam.Record
		if len(heads) > 0 {
			head = heads[0]
		}
		r.Seq = head.Seq + 1
		r.Hash = r.Link(e.ID, head.Hash)
		args := "{}"
		if len(r.Args) > 0 {
			args = document(r.Args)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exam_records (authority, exam, device, seq, at, said, key, args, by_name, about, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			e.Branch.Authority, e.ID, r.Device, r.Seq, millis(r.At), millis(r.Said), r.Key, args, r.By, r.About, r.Hash)
		if err != nil {
			return err
		}
	}
	return nil
}

// ExamRecords returns the evidence, chain by chain.
func (s *Store) ExamRecords(ctx context.Context, e exam.Exam) ([]exam.Record, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.Record, error) {
		var r exam.Record
		var args string
		var at, said int64
		if err := row.Scan(&r.Device, &r.Seq, &at, &said, &r.Key, &args, &r.By, &r.About, &r.Hash); err != nil {
			return r, err
		}
		r.At, r.Said = instant(at), instant(said)
		if args == "{}" {
			return r, nil
		}
		return r, json.Unmarshal([]byte(args), &r.Args)
	}, `SELECT device, seq, at, said, key, args, by_name, about, hash FROM exam_records WHERE authority = $1 AND exam = $2 ORDER BY device, seq`, e.Branch.Authority, e.ID)
}

// DeviceExams lists the examinations in which the device has one of the leases.
func (s *Store) DeviceExams(ctx context.Context, authority, device org.ID, leases []org.ID) ([]exam.Exam, error) {
	if len(leases) == 0 {
		return nil, nil
	}
	marks, args := list(3, leases)
	return collect(ctx, s.reader(ctx), scanExam, `SELECT `+examColumns+` FROM exams e WHERE e.authority = $1 AND e.mode <> ''
		AND e.mode IN (SELECT mode FROM leases WHERE authority = $1 AND device = $2 AND kind = 'exam' AND id IN (`+marks+`)) ORDER BY e.id`, append([]any{authority, device}, args...)...)
}

// OldExams lists examinations whose evidence the authority no longer keeps.
func (s *Store) OldExams(ctx context.Context, at time.Time, n int) ([]exam.Old, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.Old, error) {
		var old exam.Old
		var starts int64
		err := row.Scan(&old.Branch.Authority, &old.Branch.School, &old.Exam, &starts, &old.Days)
		old.Starts = instant(starts)
		return old, err
	}, `SELECT e.authority, e.school, e.id, e.starts, a.exam_days FROM exams e JOIN authorities a ON a.id = e.authority
		WHERE (CASE WHEN e.last > e.ends THEN e.last ELSE e.ends END) + a.exam_days * 86400000 < $1 ORDER BY e.starts, e.id LIMIT $2`, millis(at), n)
}

// DropExam deletes an examination with its evidence and leaves the line that
// says so: when it was, how much there was, the last hash of its own chain.
func (s *Store) DropExam(ctx context.Context, old exam.Old, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		e := exam.Exam{ID: old.Exam, Branch: old.Branch}
		records, err := s.ExamRecords(ctx, e)
		if err != nil {
			return err
		}
		head := ""
		for _, r := range records {
			if r.Device == "" {
				head = r.Hash
			}
		}
		works, err := s.ListWork(ctx, e)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exam_deletions (authority, exam, school, starts, records, files, head, days, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (authority, exam) DO NOTHING`, old.Branch.Authority, old.Exam, old.Branch.School, millis(old.Starts), len(records), filesOf(works), head, old.Days, millis(at))
		if err != nil {
			return err
		}
		return s.dropExam(ctx, tx, e)
	})
}

// filesOf counts the files of the latest state of each device.
func filesOf(works []exam.Work) (n int) {
	for i, w := range works {
		if i == 0 || w.Device != works[i-1].Device {
			n += len(w.Files)
		}
	}
	return n
}

// ExamDays returns for how many days after its end an authority keeps what is
// known of an examination.
func (s *Store) ExamDays(ctx context.Context, authority org.ID) (int, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT exam_days FROM authorities WHERE id = $1`, authority), func(row scanner) (int, error) {
		var days int
		return days, row.Scan(&days)
	}, "not_found")
}

// PutExamDays changes it.
func (s *Store) PutExamDays(ctx context.Context, permit may.Permit, authority org.ID, days int) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		before, err := s.ExamDays(ctx, authority)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE authorities SET exam_days = $1 WHERE id = $2`, days, authority); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"authority", authority}, map[string]any{"exam_days": before}, map[string]any{"exam_days": days})
	})
}

// ExamDeletions lists what was deleted, the latest first.
func (s *Store) ExamDeletions(ctx context.Context, school org.Branch, n int) ([]exam.Old, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.Old, error) {
		var old exam.Old
		var starts, deleted int64
		err := row.Scan(&old.Branch.Authority, &old.Branch.School, &old.Exam, &starts, &old.Records, &old.Files, &old.Days, &deleted)
		old.Starts, old.Deleted = instant(starts), instant(deleted)
		return old, err
	}, `SELECT authority, school, exam, starts, records, files, days, at FROM exam_deletions WHERE authority = $1 AND ($2 = '' OR school = $2) ORDER BY at DESC, exam LIMIT $3`, school.Authority, school.School, n)
}

// ExamFacts returns what devices last said of themselves.
func (s *Store) ExamFacts(ctx context.Context, e exam.Exam, devices []org.ID) (map[org.ID]exam.Facts, error) {
	all := make(map[org.ID]exam.Facts, len(devices))
	if len(devices) == 0 {
		return all, nil
	}
	marks, args := list(2, devices)
	found, err := collect(ctx, s.reader(ctx), func(row scanner) (exam.Facts, error) {
		var f exam.Facts
		var facts, programs string
		var seen int64
		if err := row.Scan(&f.Device, &f.Agent, &f.Schema, &facts, &programs, &seen, &f.Released); err != nil {
			return f, err
		}
		f.Seen = instant(seen)
		// Facts come from a device: what does not parse is simply not known.
		_ = json.Unmarshal([]byte(facts), &f.Facts)
		_ = json.Unmarshal([]byte(programs), &f.Programs)
		return f, nil
	}, `SELECT st.device, st.agent, st.schema_no, st.facts, st.programs, st.last_seen,
		EXISTS (SELECT 1 FROM enrolments n WHERE n.authority = st.authority AND n.device = st.device AND n.state = 'enrolled' AND n.unlock_sealed <> '')
		FROM device_states st WHERE st.authority = $1 AND st.device IN (`+marks+`)`, append([]any{e.Branch.Authority}, args...)...)
	for _, f := range found {
		all[f.Device] = f
	}
	return all, err
}
