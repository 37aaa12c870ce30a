// Package otelcivicpin shows OpenTelemetry what the library does: [NewRecorder] counts events, and notes them in the span of
// the request; [NewStore] makes a span of each call of a store; [RegisterBacklog] has gauges of the messages that wait.
//
//	traced := otelcivicpin.NewStore(db, nil)
//	counted, err := otelcivicpin.NewRecorder(nil)
//	vault, err := store.OpenVault(ctx, traced, keys, &store.Options{Recorder: civicpin.Recorders(log, counted)})
//	out, err := outbox.New(vault, notifier, nil)
//	gauges, err := otelcivicpin.RegisterBacklog(out, nil)
//
// # What leaves the process
//
// Telemetry goes to many eyes, and is kept by other rules than an audit log. So no subject, address, device, operator, reason,
// id or key is in any attribute, and no text of an error: an event is its code, the level of assurance and who did it in
// general ("citizen", "operator"); a call is the method, the kind of the record, and how it ended. The counter has its code as
// attribute, the gauge of messages their class and state, and nothing else, so that the number of time series stays small.
//
// # Names
//
// The counter is "civicpin.events", by "civicpin.event.code". Spans are "civicpin.store.get", "put", "delete", "list" and
// "purge", with "civicpin.record.kind" and "civicpin.outcome" ("ok", "not found", "conflict", "error"); a list's and a purge's
// have "civicpin.records" as well, how many there were. Events in a span bear their code, with "civicpin.level" and
// "civicpin.by".
//
// The gauge "civicpin.outbox.messages" has "civicpin.outbox.class" ("typed", "proved", "shown", "notice") and
// "civicpin.outbox.state" ("due", "held", "later"; see [outbox.Tally]), which makes twelve series. The gauge
// "civicpin.outbox.age" is in seconds, and has no attribute. The names are stable.
//
// The age grows if senders cannot keep up, or if nothing runs. It stays near zero while a gateway answers with errors, since a
// failed message is "later" until its next try: watch the state "later" and the counter "civicpin.events" with the code
// "outbox.retried" for that, and "outbox.dead" for messages that were given up.
package otelcivicpin
