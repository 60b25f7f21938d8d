// The push hint: a Logic App that Sentinel starts for each incident.
param name string
param workspaceName string
param location string
param mark string
param securityInsightsPrincipalId string
@secure()
param hintUrl string

var readerRole = '8d289c81-5878-46d4-8554-54e1e3d8b5cb'
var automationRole = 'f4c81013-99ee-4d62-a7ee-b3f1f648599a'
var api = subscriptionResourceId('Microsoft.Web/locations/managedApis', location, 'azuresentinel')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource connection 'Microsoft.Web/connections@2016-06-01' = {
  name: 'tocsin-hint-${name}'
  location: location
  tags: {
    'made-by': mark
  }
  properties: {
    displayName: 'Tocsin push hint'
    parameterValueType: 'Alternative'
    api: {
      id: api
    }
  }
}

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: 'tocsin-hint-${name}'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  tags: {
    'made-by': mark
  }
  properties: {
    state: 'Enabled'
    definition: {
      '$schema': 'https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#'
      contentVersion: '1.0.0.0'
      parameters: {
        '$connections': {
          type: 'Object'
          defaultValue: {}
        }
        hintUrl: {
          type: 'SecureString'
        }
      }
      triggers: {
        Microsoft_Sentinel_incident: {
          type: 'ApiConnectionWebhook'
          inputs: {
            host: {
              connection: {
                name: '@parameters(\'$connections\')[\'azuresentinel\'][\'connectionId\']'
              }
            }
            body: {
              callback_url: '@listCallbackUrl()'
            }
            path: '/incident-creation'
          }
        }
      }
      actions: {
        Tell_Tocsin: {
          type: 'Http'
          inputs: {
            method: 'POST'
            uri: '@parameters(\'hintUrl\')'
            body: '@triggerBody()'
          }
          runtimeConfiguration: {
            secureData: {
              properties: [
                'inputs'
              ]
            }
          }
          runAfter: {}
        }
      }
    }
    parameters: {
      '$connections': {
        value: {
          azuresentinel: {
            connectionId: connection.id
            connectionName: connection.name
            id: api
            connectionProperties: {
              authentication: {
                type: 'ManagedServiceIdentity'
              }
            }
          }
        }
      }
      hintUrl: {
        value: hintUrl
      }
    }
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, readerRole, workflow.id)
  scope: workspace
  properties: {
    principalId: workflow.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
    description: mark
  }
}

resource automation 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, automationRole, securityInsightsPrincipalId)
  properties: {
    principalId: securityInsightsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', automationRole)
    description: mark
  }
}

resource created 'Microsoft.SecurityInsights/automationRules@2025-09-01' = {
  scope: workspace
  name: guid(workspace.id, 'Created', name)
  properties: {
    displayName: 'Tocsin push hint (created), ${mark}'
    order: 1000
    triggeringLogic: {
      isEnabled: true
      triggersOn: 'Incidents'
      triggersWhen: 'Created'
      conditions: []
    }
    actions: [
      {
        order: 1
        actionType: 'RunPlaybook'
        actionConfiguration: {
          logicAppResourceId: workflow.id
          tenantId: tenant().tenantId
        }
      }
    ]
  }
  dependsOn: [
    automation
  ]
}

resource updated 'Microsoft.SecurityInsights/automationRules@2025-09-01' = {
  scope: workspace
  name: guid(workspace.id, 'Updated', name)
  properties: {
    displayName: 'Tocsin push hint (updated), ${mark}'
    order: 1000
    triggeringLogic: {
      isEnabled: true
      triggersOn: 'Incidents'
      triggersWhen: 'Updated'
      conditions: []
    }
    actions: [
      {
        order: 1
        actionType: 'RunPlaybook'
        actionConfiguration: {
          logicAppResourceId: workflow.id
          tenantId: tenant().tenantId
        }
      }
    ]
  }
  dependsOn: [
    automation
  ]
}
