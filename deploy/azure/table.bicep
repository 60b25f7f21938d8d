// The custom table of events, the rule by which rows reach it, the right to write them.
param name string
param workspaceName string
param location string
param mark string
param principalId string
param tableName string

var publisherRole = '3913510d-42f4-4e42-8a64-420c390055eb'
var columns = [
  {
    name: 'TimeGenerated'
    type: 'datetime'
  }
  {
    name: 'EventId'
    type: 'string'
  }
  {
    name: 'EventType'
    type: 'string'
  }
  {
    name: 'TocsinAlertId'
    type: 'string'
  }
  {
    name: 'SystemAlertId'
    type: 'string'
  }
  {
    name: 'IncidentId'
    type: 'string'
  }
  {
    name: 'IncidentNumber'
    type: 'string'
  }
  {
    name: 'Source'
    type: 'string'
  }
  {
    name: 'AlertTitle'
    type: 'string'
  }
  {
    name: 'Severity'
    type: 'string'
  }
  {
    name: 'Status'
    type: 'string'
  }
  {
    name: 'Actor'
    type: 'string'
  }
  {
    name: 'Team'
    type: 'string'
  }
  {
    name: 'Channel'
    type: 'string'
  }
  {
    name: 'DeliveryStatus'
    type: 'string'
  }
  {
    name: 'Attempt'
    type: 'int'
  }
  {
    name: 'Detail'
    type: 'dynamic'
  }
  {
    name: 'CorrelationId'
    type: 'string'
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource table 'Microsoft.OperationalInsights/workspaces/tables@2025-07-01' = {
  parent: workspace
  name: tableName
  properties: {
    schema: {
      name: tableName
      description: 'Events of Tocsin, ${mark}'
      columns: columns
    }
  }
}

resource rule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: 'dcr-${name}'
  location: location
  kind: 'Direct'
  tags: {
    'made-by': mark
  }
  properties: {
    streamDeclarations: {
      'Custom-Tocsin': {
        columns: columns
      }
    }
    destinations: {
      logAnalytics: [
        {
          workspaceResourceId: workspace.id
          name: 'workspace'
        }
      ]
    }
    dataFlows: [
      {
        streams: [
          'Custom-Tocsin'
        ]
        destinations: [
          'workspace'
        ]
        transformKql: 'source'
        outputStream: 'Custom-${tableName}'
      }
    ]
  }
  dependsOn: [
    table
  ]
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(rule.id, publisherRole, principalId)
  scope: rule
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', publisherRole)
    description: mark
  }
}

output endpoint string = rule.properties.endpoints.logsIngestion
output ruleId string = rule.properties.immutableId
