namespace MSOnlineBackup.Help.Pages;

/// <summary>The help of one cmdlet, as its page has it. Texts are paragraphs without marks.</summary>
internal sealed record CommandPage
{
    public required string File { get; init; }

    public required int Line { get; init; }

    public required string Name { get; init; }

    public required string Synopsis { get; init; }

    /// <summary>In the page's order; names are empty where there is one set only.</summary>
    public required IReadOnlyList<ParameterSet> Sets { get; init; }

    public required IReadOnlyList<string> Description { get; init; }

    public required IReadOnlyList<Example> Examples { get; init; }

    public required IReadOnlyList<Parameter> Parameters { get; init; }

    public required IReadOnlyList<ObjectType> Inputs { get; init; }

    public required IReadOnlyList<ObjectType> Outputs { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    public required IReadOnlyList<Link> Links { get; init; }

    public string Verb => Name[..Name.IndexOf('-', StringComparison.Ordinal)];

    public string Noun => Name[(Name.IndexOf('-', StringComparison.Ordinal) + 1)..];
}

/// <summary>A set of parameters that can be used together.</summary>
internal sealed record ParameterSet(int Line, string Name, bool IsDefault, string Syntax);

/// <summary>An example: what it shows, code that runs, and what to say of it.</summary>
internal sealed record Example(string Title, string Code, IReadOnlyList<string> Remarks);

/// <summary>A parameter. Where its attributes differ by set, it has several.</summary>
internal sealed record Parameter(int Line, string Name, IReadOnlyList<string> Description, IReadOnlyList<ParameterUse> Uses)
{
    /// <summary>How it is used in a set; null where it is not.</summary>
    public ParameterUse? In(ParameterSet set) => Uses.FirstOrDefault(use => use.Sets.Count == 0 || use.Sets.Contains(set.Name));
}

/// <summary>What a parameter is in some sets.</summary>
internal sealed record ParameterUse
{
    public required int Line { get; init; }

    /// <summary>Empty for all.</summary>
    public required IReadOnlyList<string> Sets { get; init; }

    /// <summary>The type's short name as in C#: <c>String[]</c>, <c>List&lt;DayOfWeek&gt;</c>.</summary>
    public required string Type { get; init; }

    public required IReadOnlyList<string> Aliases { get; init; }

    public required IReadOnlyList<string> AcceptedValues { get; init; }

    public required bool IsRequired { get; init; }

    /// <summary>From 0; null where it must be named.</summary>
    public required int? Position { get; init; }

    public required string DefaultValue { get; init; }

    public required bool ByValue { get; init; }

    public required bool ByPropertyName { get; init; }

    public required bool TakesWildcards { get; init; }

    public bool IsSwitch => Type == "SwitchParameter";

    public bool IsList => Type.EndsWith("[]", StringComparison.Ordinal) || Type.StartsWith("List<", StringComparison.Ordinal);

    public string PipelineInput => (ByPropertyName, ByValue) switch
    {
        (false, false) => "False",
        (false, true) => "True (ByValue)",
        (true, false) => "True (ByPropertyName)",
        (true, true) => "True (ByPropertyName, ByValue)",
    };
}

/// <summary>A type that comes in or goes out.</summary>
internal sealed record ObjectType(string Name, IReadOnlyList<string> Description);

/// <summary>A link: to another command or topic by its name, or to an address.</summary>
internal sealed record Link(string Text, string? Address);
