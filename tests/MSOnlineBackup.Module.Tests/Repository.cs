namespace MSOnlineBackup.Module.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    private static readonly string _root = FindRoot(AppContext.BaseDirectory);

    /// <summary>A file of it.</summary>
    public static string File(params string[] path) => Path.Combine([_root, .. path]);

    /// <summary>The text of a file of it.</summary>
    public static string Text(params string[] path) => System.IO.File.ReadAllText(File(path));

    private static string FindRoot(string folder) => System.IO.File.Exists(Path.Combine(folder, "MSOnlineBackup.sln"))
        ? folder
        : FindRoot(Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run in a checkout."));
}
