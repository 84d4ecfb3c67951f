package store

// BoundThumbs sets how many bytes of thumbnails are kept.
func (s *Store) BoundThumbs(bytes int64) { s.files.mostThumbs = bytes }
