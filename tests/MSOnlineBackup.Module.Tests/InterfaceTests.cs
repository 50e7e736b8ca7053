namespace MSOnlineBackup.Module.Tests;

/// <summary>Everything that is documented of the original's interface is there, as documented, but for what docs/compatibility.md tells.</summary>
public sealed class InterfaceTests
{
    public static TheoryData<string> Cmdlets => [.. Facts.Known.Cmdlets.Select(cmdlet => cmdlet.Name)];

    public static TheoryData<string> Types => [.. Facts.Known.Types.Select(type => type.Name)];

    public static TheoryData<string> Enums => [.. Facts.Known.Enums.Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void A_cmdlet_is_as_documented(string name) => AssertMeant(DifferencesOfCmdlet(Facts.Known.Cmdlets.Single(cmdlet => cmdlet.Name == name)));

    [Theory]
    [MemberData(nameof(Types))]
    public void A_type_is_as_documented(string name) => AssertMeant(DifferencesOfType(Facts.Known.Types.Single(type => type.Name == name)));

    [Theory]
    [MemberData(nameof(Enums))]
    public void An_enum_has_the_documented_values(string name) => AssertMeant(DifferencesOfEnum(Facts.Known.Enums.Single(type => type.Name == name)));

    [Fact]
    public void A_cmdlet_that_the_original_lacks_is_told() => AssertMeant(NewCmdlets());

    [Fact]
    public void What_is_told_is_so_and_has_a_reason()
    {
        HashSet<Difference> real =
        [
            .. Facts.Known.Cmdlets.SelectMany(DifferencesOfCmdlet),
            .. Facts.Known.Types.SelectMany(DifferencesOfType),
            .. Facts.Known.Enums.SelectMany(DifferencesOfEnum),
            .. NewCmdlets(),
        ];

        Assert.NotEmpty(Compatibility.Meant);
        Assert.All(Compatibility.Meant, row => Assert.NotEmpty(row.Why));
        Assert.Empty(Compatibility.Meant.Select(row => row.Difference).Except(real));
    }

    private static void AssertMeant(IEnumerable<Difference> differences)
    {
        HashSet<Difference> meant = [.. Compatibility.Meant.Select(row => row.Difference)];
        string[] others = [.. differences.Where(difference => !meant.Contains(difference)).Select(difference => difference.ToString())];
        Assert.True(others.Length == 0, "Not as documented, and not told in docs/compatibility.md:\n" + string.Join('\n', others));
    }

    private static IEnumerable<Difference> NewCmdlets() =>
        BuiltCmdlet.All.Select(cmdlet => cmdlet.Name).Except(Facts.Known.Cmdlets.Select(cmdlet => cmdlet.Name))
            .Select(name => new Difference(name, "cmdlet", "new"));

    private static IEnumerable<Difference> DifferencesOfCmdlet(CmdletFacts facts)
    {
        if (BuiltCmdlet.All.FirstOrDefault(cmdlet => cmdlet.Name == facts.Name) is not { } built)
        {
            yield return new Difference(facts.Name, "cmdlet", "missing");
            yield break;
        }

        if (built.SupportsShouldProcess != facts.SupportsShouldProcess && facts.Uncertain?.Contains("supportsShouldProcess") != true)
        {
            yield return new Difference(facts.Name, "ShouldProcess", built.SupportsShouldProcess ? "asked" : "not asked");
        }

        if (built.ConfirmImpact.ToString() != facts.ConfirmImpact && facts.Uncertain?.Contains("confirmImpact") != true)
        {
            yield return new Difference(facts.Name, "impact", built.ConfirmImpact.ToString());
        }

        // Text that was printed is no type; an array is written item by item.
        string[] outputs = [.. facts.OutputTypes.Concat(facts.ObservedOutputTypes ?? []).Where(type => type != "text")];
        string[] unknown = [.. built.OutputTypes.Except(outputs.Select(type => Facts.Known.OurNameOf(type).Replace("[]", "", StringComparison.Ordinal)))];
        if ((outputs.Length > 0 && built.OutputTypes.Count == 0) || unknown.Length > 0)
        {
            yield return new Difference(facts.Name, "output", unknown.Length > 0 ? string.Join(", ", unknown) : "none");
        }

        foreach (Difference difference in facts.ParameterSets.SelectMany(set => DifferencesOfSet(facts, set, built)))
        {
            yield return difference;
        }

        IEnumerable<string> documented = facts.ParameterSets.SelectMany(set => set.Parameters).Select(parameter => parameter.Name);
        foreach (string name in built.Parameters.Select(parameter => parameter.Name).Distinct().Except(documented))
        {
            yield return new Difference(facts.Name, $"-{name}", "new");
        }
    }

    private static IEnumerable<Difference> DifferencesOfSet(CmdletFacts facts, SetFacts set, BuiltCmdlet built)
    {
        string? ourSet = OurSetFor(facts, set, built);
        if (ourSet is null)
        {
            yield return new Difference(facts.Name, $"set {set.Name}", "missing");
            yield break;
        }

        foreach (ParameterFacts parameter in set.Parameters)
        {
            if (built.Parameters.FirstOrDefault(ours => ours.Name == parameter.Name && (ours.Set == ourSet || ours.Set == BuiltCmdlet.AllSets)) is not { } ours)
            {
                yield return new Difference(facts.Name, $"-{parameter.Name}", "missing");
                continue;
            }

            if (!TypeText.Fits(ours.Type, parameter.Type) && parameter.IsSure("type"))
            {
                yield return new Difference(facts.Name, $"type of -{parameter.Name}", TypeText.Of(ours.Type));
            }

            if (ours.Position != parameter.Position && parameter.IsSure("position"))
            {
                yield return new Difference(facts.Name, $"position of -{parameter.Name}", ours.Position?.ToString() ?? "named");
            }

            if (ours.Mandatory != parameter.Mandatory && parameter.IsSure("mandatory"))
            {
                yield return new Difference(facts.Name, $"-{parameter.Name}", ours.Mandatory ? "mandatory" : "optional");
            }

            if (ours.Pipeline != parameter.Pipeline && parameter.IsSure("pipeline"))
            {
                yield return new Difference(facts.Name, $"pipeline to -{parameter.Name}", ours.Pipeline);
            }

            if (parameter.Values is { } values && ours.Values?.Intersect(values).Count() != values.Count)
            {
                yield return new Difference(facts.Name, $"values of -{parameter.Name}", ours.Values is null ? "any" : string.Join(", ", ours.Values));
            }
        }
    }

    // Sets that the syntax gives no name are known by the parameter that they need first.
    private static string? OurSetFor(CmdletFacts facts, SetFacts set, BuiltCmdlet built) => (facts.ParameterSets.Count, built.Sets) switch
    {
        (1, [string only]) => only,
        _ when built.Sets.Contains(set.Name) => set.Name,
        _ when set.Name.StartsWith("UNNAMED", StringComparison.Ordinal) =>
            built.Parameters.FirstOrDefault(ours => ours.Name == set.Parameters[0].Name && ours.Set != BuiltCmdlet.AllSets)?.Set,
        _ => null,
    };

    private static IEnumerable<Difference> DifferencesOfType(TypeFacts facts)
    {
        if (typeof(OBPolicy).Assembly.GetType($"MSOnlineBackup.{facts.Name}") is not { IsPublic: true } type)
        {
            yield return new Difference(facts.Name, "type", "missing");
            yield break;
        }

        foreach (PropertyFacts property in facts.Properties)
        {
            if (type.GetProperty(property.Name) is not { } ours)
            {
                yield return new Difference(facts.Name, property.Name, "missing");
                continue;
            }

            if (!TypeText.Fits(ours.PropertyType, property.Type))
            {
                yield return new Difference(facts.Name, $"type of {property.Name}", TypeText.Of(ours.PropertyType));
            }

            if (property.Writable && ours.SetMethod?.IsPublic != true)
            {
                yield return new Difference(facts.Name, property.Name, "read-only");
            }
        }
    }

    private static IEnumerable<Difference> DifferencesOfEnum(EnumFacts facts)
    {
        Type? type = facts.Name == nameof(DayOfWeek) ? typeof(DayOfWeek) : typeof(OBPolicy).Assembly.GetType($"MSOnlineBackup.{facts.Name}");
        return type is null
            ? [new Difference(facts.Name, "enum", "missing")]
            : facts.Values.Except(Enum.GetNames(type)).Select(value => new Difference(facts.Name, value, "missing"));
    }
}
