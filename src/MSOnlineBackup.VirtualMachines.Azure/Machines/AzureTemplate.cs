using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.VirtualMachines.Azure.Management;

namespace MSOnlineBackup.VirtualMachines.Azure.Machines;

/// <summary>The template that makes a machine again, of disks that were restored: where it is, what it is called and what it is connected to are its parameters.</summary>
internal static class AzureTemplate
{
    /// <summary>Its file in a recovery point.</summary>
    public const string FileName = "azuredeploy.json";

    private static readonly JsonSerializerOptions _form = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes it.</summary>
    /// <param name="machine">The machine, as Azure describes it.</param>
    /// <param name="disks">The disks that are in the point.</param>
    public static byte[] Create(JsonElement machine, IReadOnlyList<AzureDisk> disks)
    {
        var parameters = new JsonObject
        {
            ["vmName"] = Parameter("string", machine.Text("name"), "The name of the new machine."),
            ["location"] = Parameter("string", "[resourceGroup().location]", "Where it is made: where the restored disks are."),
            ["vmSize"] = Parameter("string", machine.Text("properties", "hardwareProfile", "vmSize"), "Its size."),
            ["networkInterfaceIds"] = Parameter("array", null, "The addresses of its network interfaces, the first one first. They are not restored."),
            ["zones"] = Parameter("array", Copy(machine, "zones") ?? new JsonArray(), "The zone of its disks, if any."),
        };
        foreach (AzureDisk disk in disks)
        {
            parameters[IdOf(disk)] = Parameter("string", null, $"The address of the managed disk that was restored as '{disk.Name}'.");
        }

        var properties = new JsonObject { ["hardwareProfile"] = new JsonObject { ["vmSize"] = "[parameters('vmSize')]" } };
        properties["storageProfile"] = Storage(machine, disks);
        properties["networkProfile"] = new JsonObject
        {
            ["copy"] = new JsonArray(new JsonObject
            {
                ["name"] = "networkInterfaces",
                ["count"] = "[length(parameters('networkInterfaceIds'))]",
                ["input"] = new JsonObject
                {
                    ["id"] = "[parameters('networkInterfaceIds')[copyIndex('networkInterfaces')]]",
                    ["properties"] = new JsonObject { ["primary"] = "[equals(copyIndex('networkInterfaces'), 0)]" },
                },
            }),
        };
        Add(properties, "securityProfile", Copy(machine, "properties", "securityProfile"));
        Add(properties, "licenseType", Copy(machine, "properties", "licenseType"));
        properties["diagnosticsProfile"] = new JsonObject { ["bootDiagnostics"] = new JsonObject { ["enabled"] = true } };

        var resource = new JsonObject
        {
            ["type"] = "Microsoft.Compute/virtualMachines",
            ["apiVersion"] = ResourceManager.ComputeVersion,
            ["name"] = "[parameters('vmName')]",
            ["location"] = "[parameters('location')]",
            ["zones"] = "[parameters('zones')]",
        };
        Add(resource, "plan", Copy(machine, "plan"));
        resource["properties"] = properties;
        var template = new JsonObject
        {
            ["$schema"] = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            ["contentVersion"] = "1.0.0.0",
            ["metadata"] = new JsonObject { ["disks"] = new JsonObject(disks.Select(disk => KeyValuePair.Create(disk.Name, (JsonNode?)Describe(disk)))) },
            ["parameters"] = parameters,
            ["resources"] = new JsonArray(resource),
        };
        return JsonSerializer.SerializeToUtf8Bytes(template, _form);
    }

    private static JsonObject Storage(JsonElement machine, IReadOnlyList<AzureDisk> disks)
    {
        var storage = new JsonObject();
        if (disks.FirstOrDefault(disk => disk.Lun is null) is { } system)
        {
            JsonObject attached = Attach(system);
            attached["osType"] = system.System;
            storage["osDisk"] = attached;
        }

        storage["dataDisks"] = new JsonArray([.. disks.Where(disk => disk.Lun is not null).Select(disk =>
        {
            JsonObject attached = Attach(disk);
            attached["lun"] = disk.Lun;
            return attached;
        })]);
        Add(storage, "diskControllerType", Copy(machine, "properties", "storageProfile", "diskControllerType"));
        return storage;
    }

    private static JsonObject Attach(AzureDisk disk)
    {
        var attached = new JsonObject { ["createOption"] = "Attach" };
        Add(attached, "caching", Copy(disk.Attachment, "caching"));
        attached["managedDisk"] = new JsonObject { ["id"] = $"[parameters('{IdOf(disk)}')]" };
        attached["deleteOption"] = "Detach";
        return attached;
    }

    // What 'obengine image upload' has to be told of each disk.
    private static JsonObject Describe(AzureDisk disk)
    {
        var about = new JsonObject { ["bytes"] = disk.Bytes };
        Add(about, "sku", disk.Resource is { } resource ? Copy(resource, "sku", "name") : null);
        Add(about, "osType", disk.System is { } system ? JsonValue.Create(system) : null);
        Add(about, "generation", disk.Resource is { } of ? Copy(of, "properties", "hyperVGeneration") : null);
        Add(about, "securityType", disk.Resource is { } secured ? Copy(secured, "properties", "securityProfile", "securityType") : null);
        Add(about, "zones", disk.Resource is { } placed ? Copy(placed, "zones") : null);
        return about;
    }

    private static string IdOf(AzureDisk disk) => disk.Name + "DiskId";

    private static JsonObject Parameter(string type, JsonNode? usual, string description)
    {
        var parameter = new JsonObject { ["type"] = type };
        Add(parameter, "defaultValue", usual);
        parameter["metadata"] = new JsonObject { ["description"] = description };
        return parameter;
    }

    private static JsonNode? Copy(JsonElement element, params ReadOnlySpan<string> path) => element.Find(path) is { } found ? JsonNode.Parse(found.GetRawText()) : null;

    private static void Add(JsonObject to, string name, JsonNode? value)
    {
        if (value is not null)
        {
            to[name] = value;
        }
    }
}
