using System.Text.RegularExpressions;
using System.Xml.Linq;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Architecture;

/// <summary>The direction of dependencies between projects.</summary>
public sealed class DependencyTests
{
    /// <summary>What each project may reference: projects, and packages by name or by beginning.</summary>
    private static readonly Dictionary<string, (string[] Projects, string[] Packages)> _projects = new(StringComparer.Ordinal)
    {
        ["MSOnlineBackup.Loader"] = ([], []),
        ["MSOnlineBackup.Platform"] = ([], []),
        ["MSOnlineBackup.Vaults"] = (["MSOnlineBackup.Platform"], ["NSec.Cryptography", "Polly.Core", "System.IO.Hashing", "ZstdNet", "ZstdSharp.Port"]),
        ["MSOnlineBackup.Engine"] = (["MSOnlineBackup.Vaults", "MSOnlineBackup.Disks"], []),
        ["MSOnlineBackup.Disks"] = (["MSOnlineBackup.Vaults"], []),
        ["MSOnlineBackup.Mounts"] = (["MSOnlineBackup.Engine"], []),
        ["MSOnlineBackup.VirtualMachines"] = (["MSOnlineBackup.Mounts"], []),
        ["MSOnlineBackup.VirtualMachines.Azure"] = (["MSOnlineBackup.VirtualMachines", "MSOnlineBackup.Storage.Azure"], []),
        ["MSOnlineBackup.Agent"] = (["MSOnlineBackup.Engine", "MSOnlineBackup.Mounts", "MSOnlineBackup.VirtualMachines"], ["MailKit", "System.Security.Cryptography.ProtectedData"]),
        ["MSOnlineBackup.Storage.Azure"] = (["MSOnlineBackup.Vaults"], ["Azure."]),
        ["MSOnlineBackup.Composition"] = (["MSOnlineBackup.Agent", "MSOnlineBackup.Storage.Azure", "MSOnlineBackup.VirtualMachines", "MSOnlineBackup.VirtualMachines.Azure"], ["OpenTelemetry", "OpenTelemetry.Exporter.OpenTelemetryProtocol"]),
        ["MSOnlineBackup.Host"] = (["MSOnlineBackup.Composition"], ["System.CommandLine", "Spectre.Console"]),
        ["MSOnlineBackup.Help"] = ([], []),
        ["MSOnlineBackup"] = (["MSOnlineBackup.Composition"], ["PowerShellStandard.Library"]),
    };

    [Theory]
    [InlineData(typeof(ItemTime))]
    [InlineData(typeof(Vault), "MSOnlineBackup.Platform", "NSec.Cryptography", "Polly.Core", "System.IO.Hashing", "ZstdNet", "ZstdSharp")]
    [InlineData(typeof(VaultFiles), "MSOnlineBackup.Platform", "MSOnlineBackup.Vaults", "MSOnlineBackup.Disks")]
    [InlineData(typeof(BackupAgent), "MSOnlineBackup.Platform", "MSOnlineBackup.Vaults", "MSOnlineBackup.Engine", "MSOnlineBackup.Mounts", "MSOnlineBackup.VirtualMachines", "MailKit", "MimeKit", "System.Security.Cryptography.ProtectedData")]
    public void What_works_without_a_front_references_the_base_class_library_and_what_is_named_here_and_no_console(Type one, params string[] allowed)
    {
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

        string[] foreign =
        [
            .. one.Assembly.GetReferencedAssemblies()
                .Select(reference => reference.Name!)
                .Where(name => name is "System.Console" || (!allowed.Contains(name) && !File.Exists(Path.Combine(framework, name + ".dll")))),
        ];

        AssertNone(foreign);
    }

    [Fact]
    public void A_project_references_only_what_the_architecture_allows()
    {
        var forbidden = new List<string>();
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            string project = Path.GetFileNameWithoutExtension(file);
            (string[] projects, string[] packages) = _projects[project];
            XDocument document = XDocument.Load(file);
            forbidden.AddRange(Included(document, "ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Replace('\\', '/')))
                .Where(reference => !projects.Contains(reference))
                .Select(reference => $"{project} -> {reference}"));
            forbidden.AddRange(Included(document, "PackageReference")
                .Where(reference => !packages.Any(allowed => allowed.EndsWith('.') ? reference.StartsWith(allowed, StringComparison.Ordinal) : reference == allowed))
                .Select(reference => $"{project} -> {reference}"));
        }

        AssertNone(forbidden);
    }

    [Fact]
    public void Calls_of_systems_and_unsafe_code_are_in_the_platform_alone()
    {
        var native = new Regex(@"\b(DllImport|LibraryImport|UnmanagedCallersOnly|NativeLibrary)\b|\bdelegate\*|<AllowUnsafeBlocks>");
        string source = Path.Combine(Repository.Root, "src");

        AssertNone(Repository.Sources("src").Concat(Directory.EnumerateFiles(source, "*.csproj", SearchOption.AllDirectories))
            .Where(file => native.IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetRelativePath(source, file))
            .Where(file => file.Split(Path.DirectorySeparatorChar)[0] != "MSOnlineBackup.Platform"));
    }

    [Fact]
    public void Only_the_composition_puts_stores_Key_Vaults_and_an_agent_together()
    {
        var parts = new Regex(@"\b(FolderVaultStore|BlobVaultStore|ResilientVaultStore|MeteredVaultStore|KeyVaultKey|KeyVaultPassphraseSafe|BackupAgent)\.(Open|Create)\(|new (ResilientVaultStore|MeteredVaultStore|FolderVaultStore|AgentOptions)\b");

        AssertNone(Repository.Sources("src", "MSOnlineBackup").Concat(Repository.Sources("src", "MSOnlineBackup.Host"))
            .Where(file => parts.IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetRelativePath(Repository.Root, file)));
    }

    [Fact]
    public void The_picture_in_the_document_has_the_arrows_that_there_are()
    {
        string document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "design.md"));
        string picture = document[document.IndexOf("flowchart BT", StringComparison.Ordinal)..];
        picture = picture[..picture.IndexOf("```", StringComparison.Ordinal)];
        Dictionary<string, string> names = Regex.Matches(picture, @"(\w+)\[""(MSOnlineBackup[.\w]*)").ToDictionary(found => found.Groups[1].Value, found => found.Groups[2].Value);
        string[] drawn =
        [
            .. from line in picture.Split('\n')
               where line.Contains("-->", StringComparison.Ordinal)
               let sides = line.Split("-->")
               from target in sides[1].Split('&', StringSplitOptions.TrimEntries)
               select $"{names[sides[0].Trim().Split('[')[0]]} -> {names[target]}",
        ];

        Assert.Equal(_projects.SelectMany(project => project.Value.Projects.Select(used => $"{project.Key} -> {used}")).Order(), drawn.Order());
    }

    private static void AssertNone(IEnumerable<string> violations) =>
        Assert.True(!violations.Any(), "Against the architecture:\n" + string.Join('\n', violations));

    private static IEnumerable<string> Included(XDocument project, string element) =>
        project.Descendants(element).Select(item => (string?)item.Attribute("Include")).OfType<string>();
}
