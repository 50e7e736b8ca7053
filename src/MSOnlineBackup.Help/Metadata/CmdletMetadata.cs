namespace MSOnlineBackup.Help.Metadata;

/// <summary>A cmdlet as its assembly has it.</summary>
/// <param name="Name">Verb and noun.</param>
/// <param name="DefaultSet">Null where none is named.</param>
/// <param name="Parameters">With those of base classes, and with WhatIf and Confirm where it has them.</param>
internal sealed record CmdletMetadata(string Name, string? DefaultSet, IReadOnlyList<ParameterMetadata> Parameters)
{
    /// <summary>The names of its sets; empty where all parameters are in the only one.</summary>
    public IReadOnlyList<string> Sets { get; } =
        [.. Parameters.SelectMany(parameter => parameter.Uses).Select(use => use.Set).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
}

/// <summary>A parameter as the assembly has it.</summary>
/// <param name="Type">Short, as in C#; <c>Nullable</c> is left out.</param>
/// <param name="AcceptedValues">Null where the assembly does not say.</param>
internal sealed record ParameterMetadata(
    string Name,
    string Type,
    IReadOnlyList<string> Aliases,
    IReadOnlyList<string>? AcceptedValues,
    bool TakesWildcards,
    IReadOnlyList<ParameterUseMetadata> Uses);

/// <summary>What a parameter is in a set.</summary>
/// <param name="Set">Null for all.</param>
/// <param name="Position">Null where it must be named.</param>
internal sealed record ParameterUseMetadata(string? Set, bool IsRequired, int? Position, bool ByValue, bool ByPropertyName);
