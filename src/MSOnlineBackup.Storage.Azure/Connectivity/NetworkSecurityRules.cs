using System.Text.Json;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Storage.Azure.Connectivity;

/// <summary>
/// Rules of a network security group that let out what a vault in Azure needs, as the <c>securityRules</c> of a resource template take
/// them. They go by service tag: the addresses behind a tag change, and Azure keeps them up to date.
/// </summary>
public static class NetworkSecurityRules
{
    private const int FirstPriority = 200;
    private const int PriorityStep = 10;

    /// <summary>The rules as indented JSON, one for each tag.</summary>
    public static string ToJson(IEnumerable<RequiredEndpoint> endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        NsgRule[] rules =
        [
            .. endpoints.Where(endpoint => endpoint.ServiceTag is not null)
                .DistinctBy(endpoint => endpoint.ServiceTag)
                .Select((endpoint, position) => new NsgRule(
                    $"Allow{endpoint.ServiceTag}Outbound",
                    new NsgRuleProperties(
                        $"MSOnlineBackup: {endpoint.Purpose}",
                        "Outbound",
                        "Allow",
                        "Tcp",
                        "VirtualNetwork",
                        "*",
                        endpoint.ServiceTag!,
                        $"{endpoint.Port}",
                        FirstPriority + (position * PriorityStep)))),
        ];
        return JsonSerializer.Serialize(rules, NsgJson.Default.NsgRuleArray);
    }
}

/// <summary>A rule of a network security group.</summary>
internal sealed record NsgRule(string Name, NsgRuleProperties Properties);

/// <summary>What a rule lets out.</summary>
internal sealed record NsgRuleProperties(
    string Description,
    string Direction,
    string Access,
    string Protocol,
    string SourceAddressPrefix,
    string SourcePortRange,
    string DestinationAddressPrefix,
    string DestinationPortRange,
    int Priority);

/// <summary>The serialiser, generated when the project is built.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NsgRule[]))]
internal sealed partial class NsgJson : JsonSerializerContext;
