"""A configuration for tests: one team, three people, two steps."""

SOC = """\
version: 1
users:
  mara:
    name: Mara
    email: mara@example.org
    time_zone: Europe/Berlin
    role: user
    contact_methods:
      phone: {channel: webhook, address: "http://127.0.0.1:9/mara"}
    notification_rules:
      urgent: [{after: 0s, via: phone, repeat_every: 30s}]
      normal: [{after: 0s, via: phone}]
  jonas:
    name: Jonas
    time_zone: Europe/Berlin
    role: user
    contact_methods:
      phone: {channel: webhook, address: "http://127.0.0.1:9/jonas"}
    notification_rules:
      urgent: [{after: 0s, via: phone, repeat_every: 30s}]
      normal: [{after: 0s, via: phone}]
  ada:
    name: Ada
    time_zone: America/New_York
    role: team_admin
    contact_methods:
      phone: {channel: webhook, address: "http://127.0.0.1:9/ada"}
    notification_rules:
      urgent: [{after: 0s, via: phone}]
      normal: [{after: 0s, via: phone}]
teams:
  soc:
    name: SOC
    time_zone: Europe/Berlin
    members: [mara, jonas, ada]
    schedules:
      primary:
        tier: 1
        rotations:
          - {name: weeks, participants: [mara, jonas], start: 2026-11-02T09:00, unit: week}
    escalation_policies:
      default:
        repeat: 1
        steps:
          - {notify: [{duty: 1}], wait: 2m}
          - {notify: [{user: ada}], wait: 5m}
    integrations:
      plant: {inlet: signl4, secret: "plant-secret-0001"}
"""
