namespace MSOnlineBackup;

/// <summary>A folder, a file, or a pattern that a policy takes or leaves out.</summary>
public sealed class OBFileSpec
{
    internal OBFileSpec(string fileSpec, bool isExclude, bool isRecursive)
    {
        FileSpec = fileSpec;
        IsExclude = isExclude;
        IsRecursive = isRecursive;
        string root = Path.GetPathRoot(fileSpec) ?? "";
        bool isFolder = root.Length > 0 && !File.Exists(fileSpec) && (Directory.Exists(fileSpec) || fileSpec.AsSpan().IndexOfAny("*?[") < 0);
        string folder = isFolder ? fileSpec : Path.GetDirectoryName(fileSpec) ?? "";
        FileName = isFolder ? "*" : Path.GetFileName(fileSpec);
        FilePath = root.Length == 0 ? folder : Path.DirectorySeparatorChar + folder[root.Length..].TrimEnd(Path.DirectorySeparatorChar);
    }

    /// <summary>The last part of it: a file's name or a pattern; <c>*</c> where all of a folder is meant.</summary>
    public string FileName { get; }

    /// <summary>The folder, from the root of its volume.</summary>
    public string FilePath { get; }

    /// <summary>The whole of it: an absolute path; where it leaves out, also a pattern.</summary>
    public string FileSpec { get; }

    /// <summary>Whether it leaves out rather than takes.</summary>
    public bool IsExclude { get; }

    /// <summary>Whether folders below are meant too.</summary>
    public bool IsRecursive { get; }

    /// <summary>All of it, by line.</summary>
    public override string ToString() => $"FileSpec\nFileSpec:{FileSpec}\nIsExclude:{IsExclude}\nIsRecursive:{IsRecursive}\n";
}
