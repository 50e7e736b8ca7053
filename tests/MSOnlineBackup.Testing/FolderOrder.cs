using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace MSOnlineBackup.Testing;

/// <summary>
/// The direction of dependencies between the folders of a project. Each project whose folders have an order has a test class derived from this one.
/// </summary>
public abstract class FolderOrder
{
    /// <summary>What the project builds. Its name is that of the project, and of its namespace.</summary>
    protected abstract Assembly Project { get; }

    /// <summary>The folders from top to bottom; "" is the project's own. A folder uses only those below it.</summary>
    protected abstract string[] Folders { get; }

    private string Name => Project.GetName().Name!;

    [Fact]
    public void A_folder_uses_only_those_below_it()
    {
        var upward = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Type user in Project.GetTypes().Where(type => FolderOf(type) is not null))
        {
            foreach (Type used in TypeReferences.Of(user).Where(type => type.Assembly == Project && FolderOf(type) is not null))
            {
                if (Rank(FolderOf(used)!) < Rank(FolderOf(user)!))
                {
                    upward.Add($"{FolderOf(user)}/{Outermost(user).Name} -> {FolderOf(used)}/{Outermost(used).Name}");
                }
            }
        }

        AssertNone(upward);
    }

    [Fact]
    public void A_source_names_only_folders_below_its_own()
    {
        // Constants leave no trace in the code that uses them; the directives do.
        var directive = new Regex($@"^(?:global )?using (?:static )?(?:\w+ = )?{Regex.Escape(Name)}(?:\.(?<folder>\w+))?[\w.]*;", RegexOptions.Multiline | RegexOptions.ExplicitCapture);
        string project = Path.Combine(Repository.Root, "src", Name);
        var upward = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string file in Repository.Sources("src", Name))
        {
            string path = Path.GetRelativePath(project, file).Replace(Path.DirectorySeparatorChar, '/');
            string folder = path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : "";
            foreach (Match found in directive.Matches(File.ReadAllText(file)))
            {
                string used = found.Groups["folder"].Value;
                if (Rank(used) < Rank(folder))
                {
                    upward.Add($"{path} -> {used}");
                }
            }
        }

        AssertNone(upward);
    }

    [Fact]
    public void Every_namespace_is_a_folder_of_the_architecture() =>
        AssertNone(Project.GetTypes().Select(FolderOf).OfType<string>().Distinct().Except(Folders));

    private static void AssertNone(IEnumerable<string> violations) =>
        Assert.True(!violations.Any(), "Against the architecture:\n" + string.Join('\n', violations));

    private static Type Outermost(Type type) => type.DeclaringType is Type outer ? Outermost(outer) : type;

    private int Rank(string folder) => Array.IndexOf(Folders, folder);

    /// <summary>The folder by the first part of the namespace below the project's; null for what the compiler made.</summary>
    private string? FolderOf(Type type) => type.Namespace == Name ? ""
        : type.Namespace?.StartsWith(Name + ".", StringComparison.Ordinal) == true ? type.Namespace[(Name.Length + 1)..].Split('.')[0]
        : null;
}
