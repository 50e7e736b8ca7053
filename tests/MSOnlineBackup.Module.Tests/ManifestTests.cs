using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MSOnlineBackup.Module.Tests;

/// <summary>The manifest and the views say what the assembly has.</summary>
public sealed partial class ManifestTests
{
    private static readonly string _manifest = Repository.Text("MSOnlineBackup.psd1");

    [Fact]
    public void Every_cmdlet_is_exported_by_its_name() => Assert.Equal(
        BuiltCmdlet.All.Select(cmdlet => cmdlet.Name),
        CmdletName().Matches(Exported().Match(_manifest).Value).Select(name => name.Value).Order(StringComparer.Ordinal));

    [Fact]
    public void The_assemblies_have_the_version_of_the_manifest() => Assert.Equal(
        Version().Match(_manifest).Value,
        typeof(OBPolicy).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]);

    [Fact]
    public void Every_object_of_the_module_has_a_view()
    {
        string[] viewed =
            [.. XDocument.Parse(Repository.Text("module", "MSOnlineBackup.Format.ps1xml")).Descendants("TypeName").Select(type => type.Value).Distinct()];

        Assert.Equal(
            typeof(OBPolicy).Assembly.GetExportedTypes().Where(type => type is { Namespace: "MSOnlineBackup", IsEnum: false }).Select(type => type.FullName!)
                .Order(StringComparer.Ordinal),
            viewed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_view_shows_properties_that_there_are() => Assert.All(
        XDocument.Parse(Repository.Text("module", "MSOnlineBackup.Format.ps1xml")).Descendants("PropertyName"),
        property => Assert.NotNull(
            typeof(OBPolicy).Assembly.GetType(property.Ancestors("View").Single().Descendants("TypeName").Single().Value)!.GetProperty(property.Value)));

    [Fact]
    public void A_cmdlet_says_what_it_returns_and_is_named_as_its_file() => Assert.All(BuiltCmdlet.All, cmdlet =>
    {
        Assert.NotEmpty(cmdlet.OutputTypes);
        Assert.Equal(cmdlet.Name.Replace("-", "", StringComparison.Ordinal) + "Command", cmdlet.Type.Name);
        Assert.True(cmdlet.Type.IsSealed);
    });

    [Fact]
    public void Every_cmdlet_has_a_file_of_tests() => Assert.All(
        BuiltCmdlet.All,
        cmdlet => Assert.Contains($"Describe '{cmdlet.Name}'", Repository.Text("tests", "pester", $"{cmdlet.Name}.Tests.ps1"), StringComparison.Ordinal));

    [Fact]
    public void Every_cmdlet_of_the_original_has_a_row_beside_ours() => Assert.Equal(
        Facts.Known.Cmdlets.Select(cmdlet => cmdlet.Name).Order(StringComparer.Ordinal),
        Compatibility.Compared.Order(StringComparer.Ordinal));

    [GeneratedRegex(@"(?<=ModuleVersion\s+=\s')[0-9.]+")]
    private static partial Regex Version();

    [GeneratedRegex(@"CmdletsToExport.*?\n    \)", RegexOptions.Singleline)]
    private static partial Regex Exported();

    [GeneratedRegex(@"(?<=')\w+-(?:OB|DPM)\w+(?=')")]
    private static partial Regex CmdletName();
}
