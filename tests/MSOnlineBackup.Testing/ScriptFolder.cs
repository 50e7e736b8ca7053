using System.Text.Json;
using System.Text.Json.Nodes;

namespace MSOnlineBackup.Testing;

/// <summary>A pre- and a post-script with the file that names them, as a machine would have them. What they do is written to <see cref="Log"/>.</summary>
public sealed class ScriptFolder
{
    private const UnixFileMode ForOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes it, with scripts that write their names and arguments.</summary>
    public ScriptFolder(string path)
    {
        Path = Directory.CreateDirectory(path).FullName;
        Log = System.IO.Path.Combine(Path, "log");
        Pre = Write("pre.sh", $"echo \"pre $*\" >>'{Log}'");
        Post = Write("post.sh", $"echo \"post $*\" >>'{Log}'");
        Settings = new JsonObject { ["pluginName"] = "ScriptRunner", ["preScriptLocation"] = Pre, ["postScriptLocation"] = Post };
        Save();
    }

    /// <summary>Copies an example, for a place of its own.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="example">Its folder in examples/Applications.</param>
    /// <param name="arguments">What both scripts are given.</param>
    public static ScriptFolder OfExample(string path, string example, params string[] arguments)
    {
        string from = System.IO.Path.Combine(Repository.Root, "examples", "Applications", example);
        var scripts = new ScriptFolder(path);
        foreach (string name in new[] { "pre.sh", "post.sh" })
        {
            scripts.Write(name, System.IO.File.ReadAllText(System.IO.Path.Combine(from, name)));
        }

        string settings = System.IO.File.ReadAllText(System.IO.Path.Combine(from, System.IO.Path.GetFileName(scripts.File)));
        foreach ((string name, JsonNode? value) in JsonNode.Parse(settings)!.AsObject())
        {
            scripts.Settings.TryAdd(name, value?.DeepClone());
        }

        scripts.Settings["preScriptParams"] = new JsonArray([.. arguments.Select(argument => (JsonNode)argument)]);
        scripts.Set("postScriptParams", scripts.Settings["preScriptParams"]!.DeepClone());
        return scripts;
    }

    public string Path { get; }

    public string Pre { get; }

    public string Post { get; }

    public string Log { get; }

    /// <summary>The file that is given to backups.</summary>
    public string File => System.IO.Path.Combine(Path, "VMSnapshotScriptPluginConfig.json");

    /// <summary>What it says; <see cref="Save"/> writes it.</summary>
    public JsonObject Settings { get; }

    /// <summary>Replaces a script.</summary>
    public string Write(string name, string commands)
    {
        string path = System.IO.Path.Combine(Path, name);
        System.IO.File.WriteAllText(path, "#!/bin/sh\n" + commands + "\n");
        SetMode(path, ForOwner | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Changes what the file says.</summary>
    public void Set(string name, JsonNode? value)
    {
        Settings[name] = value;
        Save();
    }

    public void Save() => SaveText(Settings.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));

    /// <summary>Writes the file as it is given.</summary>
    public void SaveText(string text)
    {
        System.IO.File.WriteAllText(File, text);
        SetMode(File, ForOwner);
    }

    /// <summary>What was logged, line by line.</summary>
    public IReadOnlyList<string> ReadLog() => System.IO.File.Exists(Log) ? [.. System.IO.File.ReadAllLines(Log).Select(line => line.Trim())] : [];

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(path, mode);
        }
    }
}
