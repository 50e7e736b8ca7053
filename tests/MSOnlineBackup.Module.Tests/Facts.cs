using System.Text.Json;

namespace MSOnlineBackup.Module.Tests;

/// <summary>The original's interface, as documents and published scripts show it (tests/fixtures/cmdlets.json).</summary>
internal sealed record Facts(IReadOnlyList<CmdletFacts> Cmdlets, IReadOnlyList<TypeFacts> Types, IReadOnlyList<EnumFacts> Enums)
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);

    public static Facts Known { get; } = JsonSerializer.Deserialize<Facts>(Repository.Text("tests", "fixtures", "cmdlets.json"), _json)!;

    /// <summary>The type by which we know one of the facts: its alias is only a name in syntax lines, its namespace the original's.</summary>
    public string OurNameOf(string type)
    {
        string element = type.EndsWith("[]", StringComparison.Ordinal) ? type[..^2] : type;
        string name = element.Split('.')[^1];
        return (Types.FirstOrDefault(known => known.Alias == name)?.Name ?? name) + type[element.Length..];
    }
}

internal sealed record CmdletFacts(
    string Name,
    IReadOnlyList<string> OutputTypes,
    IReadOnlyList<string>? ObservedOutputTypes,
    bool SupportsShouldProcess,
    string ConfirmImpact,
    IReadOnlyList<SetFacts> ParameterSets,
    IReadOnlyList<string>? Uncertain);

internal sealed record SetFacts(string Name, IReadOnlyList<ParameterFacts> Parameters);

internal sealed record ParameterFacts(
    string Name, string Type, int? Position, bool Mandatory, string Pipeline, IReadOnlyList<string>? Values, IReadOnlyList<string>? Uncertain)
{
    /// <summary>Whether a field is read from a page, rather than inferred.</summary>
    public bool IsSure(string field) => Uncertain?.Contains(field) != true;
}

internal sealed record TypeFacts(string Name, string? Alias, IReadOnlyList<PropertyFacts> Properties);

internal sealed record PropertyFacts(string Name, string Type, bool Writable);

internal sealed record EnumFacts(string Name, IReadOnlyList<string> Values);
