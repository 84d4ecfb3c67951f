package sqlitelog

// RoomsQuery is what the list of rooms is read with.
const RoomsQuery = roomsQuery
