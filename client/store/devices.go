package store

import (
	"go.etcd.io/bbolt"

	"parley/client/session"
	"parley/shared"
)

// deviceKey had the device of all servers up to version 2.
var deviceKey = []byte("device")

// Device is the secret that a server knows this installation by, made at the first
// call: see session.Store. The error is the file's.
func (s *Store) Device(identity string) (device string, err error) {
	err = s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			if b := tx.Bucket(appBucket).Bucket(devices); b != nil {
				device = string(b.Get([]byte(identity)))
			}
			return nil
		})
	})
	if err != nil || device != "" {
		return device, err
	}
	if err := s.KeepDevice(identity, session.NewDevice()); err != nil {
		return "", err
	}
	return s.Device(identity)
}

// KeepDevice keeps a secret for an identity that has none.
func (s *Store) KeepDevice(identity, device string) error {
	return s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			return keepDevice(tx.Bucket(appBucket), identity, device)
		})
	})
}

func keepDevice(app *bbolt.Bucket, identity, device string) error {
	b, err := app.CreateBucketIfNotExists(devices)
	if err != nil || b.Get([]byte(identity)) != nil {
		return err
	}
	return b.Put([]byte(identity), []byte(device))
}

// ownDevices gives the servers that know the one device of earlier versions that
// device. Other servers never learn it.
func ownDevices(app *bbolt.Bucket, servers []string) error {
	device := string(app.Get(deviceKey))
	if device == "" {
		return nil
	}
	pins := app.Bucket(pinsBucket)
	if pins != nil {
		_ = pins.ForEach(func(server, _ []byte) error { // the function does not fail
			servers = append(servers, string(server))
			return nil
		})
	}
	for _, server := range servers {
		if server == "" || shared.CheckDevice(device) != nil {
			continue
		}
		var pin string
		if pins != nil {
			pin = string(pins.Get([]byte(server)))
		}
		if err := keepDevice(app, session.Identity(server, pin), device); err != nil {
			return err
		}
	}
	return app.Delete(deviceKey)
}
