// Rendered: change agent/exposition/alerting/files.py, then run make generate.
// Needs jsonnet 0.18 or later, for std.parseYaml. In `_config` the selector of the agents' targets
// can be changed, and labels added to every alert.
{
  _config+:: {
    mailflowSelector: 'job="mailflow"',
    mailflowAlertLabels: {},
  },

  local config = $._config,
  local groups = std.parseYaml(importstr 'mailflow.yaml').groups,
  local selected(rule) = rule {
    expr: std.strReplace(rule.expr, 'job="mailflow"', config.mailflowSelector),
  },
  local labelled(rule) = selected(rule) { labels+: config.mailflowAlertLabels },
  local having(key, change) = [
    group { rules: [change(rule) for rule in group.rules if std.objectHas(rule, key)] }
    for group in groups
    if std.length([rule for rule in group.rules if std.objectHas(rule, key)]) > 0
  ],

  prometheusAlerts+:: { groups+: having('alert', labelled) },
  prometheusRules+:: {
    groups+: [group { name+: '.rules' } for group in having('record', selected)],
  },
  grafanaDashboards+:: {
    'mailflow-agent.json': (import '../dashboards/mailflow-agent.json'),
    'mailflow-connector.json': (import '../dashboards/mailflow-connector.json'),
    'mailflow-domain.json': (import '../dashboards/mailflow-domain.json'),
    'mailflow-overview.json': (import '../dashboards/mailflow-overview.json'),
    'mailflow-route.json': (import '../dashboards/mailflow-route.json'),
    'mailflow-tenant.json': (import '../dashboards/mailflow-tenant.json'),
  },
}
