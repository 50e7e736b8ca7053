using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Architecture;

/// <summary>The direction of dependencies, between projects and between the folders of the engine.</summary>
public sealed partial class DependencyTests
{
    private const string EngineNamespace = "MSOnlineBackup.Engine";

    /// <summary>What each project may reference: projects, and packages by name or by beginning.</summary>
    private static readonly Dictionary<string, (string[] Projects, string[] Packages)> Projects = new(StringComparer.Ordinal)
    {
        ["MSOnlineBackup.Loader"] = ([], []),
        ["MSOnlineBackup.Engine"] = ([], ["Polly.Core"]),
        ["MSOnlineBackup.Storage.Azure"] = (["MSOnlineBackup.Engine"], ["Azure.", "System.IO.Hashing"]),
        ["MSOnlineBackup.Host"] = (["MSOnlineBackup.Engine", "MSOnlineBackup.Storage.Azure"], ["System.CommandLine", "Spectre.Console"]),
        ["MSOnlineBackup.Help"] = ([], []),
        ["MSOnlineBackup"] = (["MSOnlineBackup.Engine", "MSOnlineBackup.Storage.Azure"], ["PowerShellStandard.Library"]),
    };

    /// <summary>The folders of the engine from top to bottom; "" is the engine's own. A folder uses only those below it.</summary>
    private static readonly string[] Folders =
    [
        "", "Backup", "Restore", "Maintenance", "Jobs", "Machine", "Retention", "Policies", "Sources", "RecoveryPoints", "Vaults",
        "Index", "Packs", "Chunks", "Zstandard", "Chunking", "Cryptography", "Storage", "Errors",
    ];

    // Plain values at the top that are handed down: what the engine takes from outside, and what it is.
    private static readonly string[] HandedDown = ["EngineOptions", "Agent"];

    private static Assembly Engine => typeof(BackupEngine).Assembly;

    [Fact]
    public void The_engine_references_only_the_base_class_library_and_Polly()
    {
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

        string[] foreign =
        [
            .. Engine.GetReferencedAssemblies()
                .Select(reference => reference.Name!)
                .Where(name => name is "System.Console" || (name != "Polly.Core" && !File.Exists(Path.Combine(framework, name + ".dll")))),
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
            (string[] projects, string[] packages) = Projects[project];
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
    public void A_folder_of_the_engine_uses_only_those_below_it()
    {
        var upward = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Type user in Engine.GetTypes().Where(type => FolderOf(type) is not null))
        {
            foreach (Type used in TypeReferences.Of(user).Where(type => type.Assembly == Engine && FolderOf(type) is not null))
            {
                if (Rank(FolderOf(used)!) < Rank(FolderOf(user)!) && !HandedDown.Contains(used.Name))
                {
                    upward.Add($"{FolderOf(user)}/{Outermost(user).Name} -> {FolderOf(used)}/{Outermost(used).Name}");
                }
            }
        }

        AssertNone(upward);
    }

    [Fact]
    public void A_source_of_the_engine_names_only_folders_below_its_own()
    {
        // Constants leave no trace in the code that uses them; the directives do.
        string engine = Path.Combine(Repository.Root, "src", EngineNamespace);
        var upward = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string file in Repository.Sources("src", EngineNamespace))
        {
            string path = Path.GetRelativePath(engine, file).Replace(Path.DirectorySeparatorChar, '/');
            string folder = path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : "";
            foreach (Match directive in UsingDirective().Matches(File.ReadAllText(file)))
            {
                string used = directive.Groups["folder"].Value;
                if (Rank(used) < Rank(folder))
                {
                    upward.Add($"{path} -> {used}");
                }
            }
        }

        AssertNone(upward);
    }

    [Fact]
    public void Every_namespace_of_the_engine_is_a_folder_of_the_architecture() =>
        AssertNone(Engine.GetTypes().Select(FolderOf).OfType<string>().Distinct().Except(Folders));

    private static void AssertNone(IEnumerable<string> violations) =>
        Assert.True(!violations.Any(), "Against the architecture:\n" + string.Join('\n', violations));

    private static IEnumerable<string> Included(XDocument project, string element) =>
        project.Descendants(element).Select(item => (string?)item.Attribute("Include")).OfType<string>();

    private static int Rank(string folder) => Array.IndexOf(Folders, folder);

    private static Type Outermost(Type type) => type.DeclaringType is Type outer ? Outermost(outer) : type;

    /// <summary>The folder by the first part of the namespace below the engine's; null for what the compiler made.</summary>
    private static string? FolderOf(Type type) => type.Namespace switch
    {
        EngineNamespace => "",
        string name when name.StartsWith(EngineNamespace + ".", StringComparison.Ordinal) => name[(EngineNamespace.Length + 1)..].Split('.')[0],
        _ => null,
    };

    [GeneratedRegex(@"^(?:global )?using (?:static )?(?:\w+ = )?MSOnlineBackup\.Engine(?:\.(?<folder>\w+))?[\w.]*;", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex UsingDirective();
}
