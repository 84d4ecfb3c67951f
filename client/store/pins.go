package store

import "go.etcd.io/bbolt"

// Pin is the fingerprint by which a server is known, "" if it is not.
func (s *Store) Pin(server string) (words string) {
	err := s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			if b := tx.Bucket(appBucket).Bucket(pinsBucket); b != nil {
				words = string(b.Get([]byte(server)))
			}
			return nil
		})
	})
	if err != nil {
		return ""
	}
	return words
}

// Pinned are the servers for which a fingerprint is kept. The error is the file's.
func (s *Store) Pinned(words string) (servers []string, err error) {
	err = s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket(appBucket).Bucket(pinsBucket)
			if b == nil {
				return nil
			}
			return b.ForEach(func(server, kept []byte) error {
				if string(kept) == words {
					servers = append(servers, string(server))
				}
				return nil
			})
		})
	})
	return servers, err
}

// SetPin keeps the fingerprint of a server. The error is the file's.
func (s *Store) SetPin(server, words string) error {
	return s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.Bucket(appBucket).CreateBucketIfNotExists(pinsBucket)
			if err != nil {
				return err
			}
			return b.Put([]byte(server), []byte(words))
		})
	})
}
