// Package postgres tests store/sqlstore on real PostgreSQL servers: whole ones, and ones that are killed, frozen, cut off
// and replaced by their standby.
package postgres
