package sqlstore_test

import (
	"fmt"
	"log"

	"github.com/civicpin/civicpin/store/sqlstore"
)

// The text for those who run migrations themselves.
func ExampleSchema() {
	text, err := sqlstore.Schema(sqlstore.PostgreSQL, &sqlstore.Options{Schema: "pins"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	// Output:
	// CREATE SCHEMA IF NOT EXISTS "pins";
	//
	// CREATE TABLE IF NOT EXISTS "pins"."civicpin_records_schema" (
	//     one     bigint NOT NULL PRIMARY KEY CHECK (one = 1),
	//     version bigint NOT NULL
	// );
	//
	// CREATE TABLE IF NOT EXISTS "pins"."civicpin_records" (
	//     key     bytea NOT NULL PRIMARY KEY,
	//     version bigint NOT NULL,
	//     expires bigint,
	//     value   bytea NOT NULL
	// );
	//
	// CREATE INDEX IF NOT EXISTS "civicpin_records_expires" ON "pins"."civicpin_records" (expires) WHERE expires IS NOT NULL;
	//
	// INSERT INTO "pins"."civicpin_records_schema" (one, version) VALUES (1, 1) ON CONFLICT (one) DO NOTHING;
}
