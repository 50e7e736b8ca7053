using System.Runtime.InteropServices;
using System.Text;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>A folder for one test, with the system calls that .NET does not offer. Gone with all it holds when disposed.</summary>
internal sealed unsafe partial class ScratchFolder : IDisposable
{
    public const uint Fifo = 0x1000;
    public const uint CharacterDevice = 0x2000;
    public const uint BlockDevice = 0x6000;
    public const uint Socket = 0xC000;

    private const int CurrentFolder = -100;

    public ScratchFolder() => Path = Directory.CreateTempSubdirectory("obsources").FullName;

    public string Path { get; }

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public string File(string name, string content = "")
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(At(name))!);
        System.IO.File.WriteAllText(At(name), content);
        return At(name);
    }

    public string Folder(string name) => Directory.CreateDirectory(At(name)).FullName;

    /// <summary>Creates an empty file whose name is raw bytes.</summary>
    public void RawFile(ReadOnlySpan<byte> name) => Check(CloseFile(CreateFile(Raw([.. Encoding.UTF8.GetBytes(Path + "/"), .. name]), 0x1B4)));

    public void Node(string name, uint type, uint mode, uint major = 0, uint minor = 0) =>
        Check(MakeNode(CurrentFolder, Raw(At(name)), type | mode, ((ulong)major << 8) | minor));

    public void HardLink(string existing, string name) => Check(Link(Raw(At(existing)), Raw(At(name))));

    public void SymbolicLink(string name, string target) => Check(MakeSymbolicLink(Raw(target), Raw(At(name))));

    public void Attribute(string name, string attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* bytes = value)
        {
            Check(SetAttribute(Raw(At(name)), Raw(attribute), bytes, value.Length, 0));
        }
    }

    public byte[]? Attribute(string name, string attribute)
    {
        byte* value = stackalloc byte[1024];
        nint length = GetAttribute(Raw(At(name)), Raw(attribute), value, 1024);
        return length < 0 ? null : new ReadOnlySpan<byte>(value, (int)length).ToArray();
    }

    public void Modified(string name, long seconds, long nanoseconds)
    {
        long* times = stackalloc long[4] { seconds, nanoseconds, seconds, nanoseconds };
        Check(SetTimes(CurrentFolder, Raw(At(name)), times, 0x100));
    }

    public void Owner(string name, uint user, uint group) => Check(ChangeOwner(Raw(At(name)), user, group));

    public void Mode(string name, uint mode) => Check(ChangeMode(Raw(At(name)), mode));

    /// <summary>Creates folders inside each other, deeper than any path of the system, and a file in the last.</summary>
    public void DeepFolders(int depth, string name)
    {
        string script = $$"""
            use strict; chdir($ARGV[0]) or die; for (1..$ARGV[1]) { mkdir($ARGV[2]) or die; chdir($ARGV[2]) or die; }
            open(my $f, '>', 'bottom') or die; print $f 'deep'; close $f;
            """;
        Shell.RunChecked("perl", "-e", script, Path, $"{depth}", name);
    }

    /// <summary>Does something as another user on a thread of its own, whose file system ids only it has.</summary>
    public static T As<T>(uint user, Func<T> action)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            _ = SetThreadGroup(user);
            _ = SetThreadUser(user);
            try
            {
                result = action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException("The action failed: " + failure, failure);
    }

    public void Dispose() => Shell.Run("rm", "-rf", Path);

    private static byte[] Raw(string text) => Raw(Encoding.UTF8.GetBytes(text));

    private static byte[] Raw(byte[] text) => [.. text, 0];

    private static void Check(int result) =>
        Assert.True(result >= 0, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetThreadUser(uint user);

    [LibraryImport("libc", EntryPoint = "setfsgid")]
    private static partial int SetThreadGroup(uint group);

    [LibraryImport("libc", EntryPoint = "creat", SetLastError = true)]
    private static partial int CreateFile(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseFile(int handle);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true)]
    private static partial int MakeNode(int at, byte[] path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true)]
    private static partial int Link(byte[] from, byte[] to);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true)]
    private static partial int MakeSymbolicLink(byte[] target, byte[] path);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true)]
    private static partial int SetAttribute(byte[] path, byte[] name, byte* value, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    private static partial nint GetAttribute(byte[] path, byte[] name, byte* value, nint size);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    private static partial int SetTimes(int at, byte[] path, long* times, int flags);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true)]
    private static partial int ChangeOwner(byte[] path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true)]
    private static partial int ChangeMode(byte[] path, uint mode);
}
