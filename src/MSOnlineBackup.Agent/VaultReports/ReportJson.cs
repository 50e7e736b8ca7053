using System.Text.Json;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>A report for programs. Times are ISO 8601 in UTC; a field without a value is null.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(VaultReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    /// <summary>The text.</summary>
    public static string Write(VaultReport report) => JsonSerializer.Serialize(report, Default.VaultReport) + "\n";
}
