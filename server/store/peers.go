package store

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/peers"
)

const holderColumns = `device, enrolment, school, site, net, address, have, last, from_server, from_peers, lied, seen`

func scanHolder(row scanner) (peers.Holder, error) {
	var h peers.Holder
	var seen int64
	err := row.Scan(&h.Device, &h.Enrolment, &h.School, &h.Site, &h.Net, &h.Address, &h.Have, &h.Last, &h.FromServer, &h.FromPeers, &h.Lied, &seen)
	h.Seen = instant(seen)
	return h, err
}

// mostHolders bounds how many holders are weighed for one answer.
const mostHolders = 100

// Meet keeps what a device says of a file, lets it lead if it is its turn, and
// lists who else of its site has the file.
func (s *Store) Meet(ctx context.Context, m peers.Meeting) (met peers.Met, err error) {
	err = s.write(ctx, func(ctx context.Context, tx Tx) error {
		met = peers.Met{}
		var err error
		met.Holders, err = collect(ctx, tx, scanHolder, `SELECT `+holderColumns+` FROM package_holders WHERE authority = $1 AND site = $2 AND sha256 = $3 AND seen >= $4 AND device <> $5 AND address <> ''
			ORDER BY seen DESC, device LIMIT $6`, m.Authority, m.Holder.Site, m.SHA256, millis(m.Since), m.Holder.Device, mostHolders)
		if err != nil {
			return err
		}
		lane, gives := m.Decide(met.Holders)
		if !gives {
			m.Holder.Address = ""
		}
		if err := lead(ctx, tx, m, lane, &met); err != nil {
			return err
		}
		if err := saveHolder(ctx, tx, m, met.Lead); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT device) FROM package_holders WHERE authority = $1 AND site = $2 AND seen >= $3 AND last = 'server' AND device <> $4`,
			m.Authority, m.Holder.Site, millis(m.Loading), m.Holder.Device).Scan(&met.Loading)
	})
	return met, err
}

// saveHolder keeps a device's word on itself and on those that lied to it. Who
// leads counts as loading from now on.
func saveHolder(ctx context.Context, tx Tx, m peers.Meeting, leads bool) error {
	h := m.Holder
	if leads {
		h.Last = rollout.FromServer
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO package_holders (authority, sha256, `+holderColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13)
		ON CONFLICT (authority, sha256, device) DO UPDATE SET enrolment = excluded.enrolment, school = excluded.school, site = excluded.site, net = excluded.net, address = excluded.address, have = excluded.have,
		last = excluded.last, from_server = package_holders.from_server + excluded.from_server, from_peers = package_holders.from_peers + excluded.from_peers, seen = excluded.seen`,
		m.Authority, m.SHA256, h.Device, h.Enrolment, h.School, h.Site, h.Net, h.Address, h.Have, h.Last, h.FromServer, h.FromPeers, millis(h.Seen))
	for _, liar := range m.Lied {
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE package_holders SET lied = lied + 1 WHERE authority = $1 AND sha256 = $2 AND site = $3 AND enrolment = $4`, m.Authority, m.SHA256, h.Site, liar)
	}
	return err
}

// lead gives a device the lead of its lane if it has it already, or nobody has it
// any more, and finds the word of its site.
func lead(ctx context.Context, tx Tx, m peers.Meeting, lane string, met *peers.Met) error {
	const begin = `INSERT INTO package_leads (authority, lane, sha256, word) VALUES ($1, $2, $3, $4) ON CONFLICT (authority, lane, sha256) DO NOTHING`
	if _, err := tx.ExecContext(ctx, begin, m.Authority, m.Holder.Site, m.SHA256, m.Word); err != nil {
		return err
	}
	if lane != "" {
		if lane != m.Holder.Site {
			if _, err := tx.ExecContext(ctx, begin, m.Authority, lane, m.SHA256, m.Word); err != nil {
				return err
			}
		}
		result, err := tx.ExecContext(ctx, `UPDATE package_leads SET device = $1, until = $2 WHERE authority = $3 AND lane = $4 AND sha256 = $5 AND (until < $6 OR device = $1)`,
			m.Holder.Device, millis(m.Until), m.Authority, lane, m.SHA256, millis(m.Holder.Seen))
		if err != nil {
			return err
		}
		taken, err := result.RowsAffected()
		if err != nil {
			return err
		}
		met.Lead = taken > 0
	}
	return tx.QueryRowContext(ctx, `SELECT word FROM package_leads WHERE authority = $1 AND lane = $2 AND sha256 = $3`, m.Authority, m.Holder.Site, m.SHA256).Scan(&met.Word)
}

// Shares lists the sites that had a file.
func (s *Store) Shares(ctx context.Context, branch org.Branch, sha256 string) ([]peers.Share, error) {
	q := newQuery(`SELECT h.school, s.name, h.site, COUNT(*), CAST(SUM(h.from_server) AS BIGINT), CAST(SUM(h.from_peers) AS BIGINT), CAST(SUM(CASE WHEN h.lied > 0 THEN 1 ELSE 0 END) AS BIGINT)
		FROM package_holders h JOIN schools s ON s.authority = h.authority AND s.id = h.school WHERE h.sha256 = ? AND `, sha256)
	q.place("h.authority", "h.school", branch)
	q.add(` GROUP BY h.school, s.name, h.site ORDER BY COUNT(*) DESC, s.name, h.school, h.site`)
	return collect(ctx, s.reader(ctx), func(row scanner) (peers.Share, error) {
		var share peers.Share
		return share, row.Scan(&share.School, &share.Name, &share.Site, &share.Devices, &share.FromServer, &share.FromPeers, &share.Liars)
	}, q.text(), q.args...)
}
