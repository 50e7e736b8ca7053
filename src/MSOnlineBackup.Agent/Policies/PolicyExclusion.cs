using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>An exclusion of a policy as a pattern of <see cref="SourceSelection"/>; <see cref="PolicySources"/> says how it is read.</summary>
internal sealed class PolicyExclusion
{
    // What leaves out whole folders, matched against full paths; null where it leaves out none that could be a source.
    private readonly ExclusionRules? _whole;

    // The folder below which all that it concerns lies; null where that may be anywhere.
    private readonly PolicyPath? _place;

    private PolicyExclusion(string text, string pattern, bool filesOnly, PolicyPath? place, string? whole, bool windows)
    {
        Text = text;
        Pattern = pattern;
        FilesOnly = filesOnly;
        LeavesOutEverything = whole is "" or "/";
        _place = place;
        _whole = string.IsNullOrEmpty(whole) || LeavesOutEverything ? null : ExclusionRules.Compile([whole], "/"u8, windows);
    }

    /// <summary>As the policy has it.</summary>
    public string Text { get; }

    /// <summary>For the sources that it concerns.</summary>
    public string Pattern { get; }

    /// <summary>Whether it leaves folders alone.</summary>
    public bool FilesOnly { get; }

    /// <summary>Whether no source has anything left.</summary>
    public bool LeavesOutEverything { get; }

    /// <summary>Reads an exclusion.</summary>
    /// <exception cref="BackupException">PolicyInvalid, PatternInvalid.</exception>
    public static PolicyExclusion Parse(FileSpecification specification, bool windows)
    {
        string text = specification.Path;
        PolicyPath.CheckText(text);
        return PolicyPath.IsAbsolute(text, windows) ? ParseAbsolute(specification, windows) : ParseName(specification, windows);
    }

    /// <summary>Whether something of a source could be what this leaves out.</summary>
    public bool Concerns(PolicyPath root) => _place is null || _place.IsAtOrBelow(root) || root.IsAtOrBelow(_place);

    /// <summary>How many components of a source's path it takes to reach a folder that this leaves out with all below it; null where none is.</summary>
    public int? DepthOfCover(PolicyPath root)
    {
        for (int depth = 1; _whole is not null && depth <= root.Components.Count; depth++)
        {
            if (_whole.Match(root.Bytes(..depth)) != Exclusion.None)
            {
                return depth;
            }
        }

        return null;
    }

    private static PolicyExclusion ParseAbsolute(FileSpecification specification, bool windows)
    {
        string text = specification.Path;
        PolicyPath path = PolicyPath.Parse(text, windows);
        string[] components = [.. path.Components.Select(component => ToPattern(component, windows))];
        PolicyPath place = path with { Components = [.. path.Components.TakeWhile(component => !IsPattern(component))] };
        bool endsInPattern = components.Length > 0 && IsPattern(path.Components[^1]);
        if (specification.NonRecursive)
        {
            string files = path.PatternOf(endsInPattern ? components : [.. components, "*"]);
            return new PolicyExclusion(text, files, filesOnly: true, place, whole: null, windows);
        }

        if (components.Length == 0)
        {
            components = ["**"];
        }
        else if (endsInPattern && components[^1] != "**")
        {
            components = [.. components[..^1], "**", components[^1]];
        }

        string[] whole = [.. components.AsSpan().TrimEnd(["*", "**"])];
        return new PolicyExclusion(
            text, path.PatternOf(components) + FolderMark(text, windows), filesOnly: false, place, path.PatternOf(whole), windows);
    }

    private static PolicyExclusion ParseName(FileSpecification specification, bool windows)
    {
        string text = specification.Path;
        string unified = windows ? text.Replace('\\', '/') : text;
        string[] components = [.. unified.TrimEnd('/').Split('/').Select(component => ToPattern(component, windows))];
        if ((components.Length > 1 && components[0] != "**") || components.Any(component => component is "" or "." or ".."))
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"The exclusion '{text}' is neither an absolute path nor a name.",
                "Give the full path, or a name such as '*.tmp', which is left out wherever it occurs. '**/a/b' means 'b' in any folder 'a'.",
                text);
        }

        if (specification.NonRecursive)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"The exclusion '{text}' is not recursive, but it does not name a folder.",
                "Give the full path of the folder whose files are to be left out.",
                text);
        }

        string? whole = components.All(component => component is "*" or "**") ? "" : null;
        return new PolicyExclusion(
            text, string.Join('/', components) + FolderMark(text, windows), filesOnly: false, place: null, whole, windows);
    }

    private static string FolderMark(string text, bool windows) => text.EndsWith('/') || (windows && text.EndsWith('\\')) ? "/" : "";

    private static bool IsPattern(string component) => component.AsSpan().ContainsAny('*', '?');

    private static string ToPattern(string component, bool windows) =>
        windows && component == "*.*" ? "*" : IsPattern(component) ? component : PolicyPath.Escape(component, windows);
}
