package store

// CreateFile lets a test link in its own way.
var CreateFile = createFile
