// Package sqlite tests store/sqlite where several processes share a file, and some of them are killed.
package sqlite
