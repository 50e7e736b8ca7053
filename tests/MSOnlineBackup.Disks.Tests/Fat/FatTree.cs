using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Disks.Tests.Fat;

/// <summary>A tree as FAT and exFAT can have it.</summary>
internal static class FatTree
{
    public static void Fill(string root, int names = 300)
    {
        byte[] content = new byte[400_000];
        new Random(11).NextBytes(content);
        foreach (int length in (int[])[0, 1, 511, 512, 4096, 4097, 70_000, 400_000])
        {
            File.WriteAllBytes(Path.Combine(root, $"file-{length}.bin"), content[..length]);
        }

        string deep = root;
        for (int i = 0; i < 12; i++)
        {
            deep = Directory.CreateDirectory(Path.Combine(deep, $"Folder number {i}")).FullName;
        }

        File.WriteAllText(Path.Combine(deep, "at the end"), "here");
        string many = Directory.CreateDirectory(Path.Combine(root, "many")).FullName;
        for (int i = 0; i < names; i++)
        {
            File.WriteAllText(Path.Combine(many, $"a name of some length {i:D6}.text"), i % 10 == 0 ? $"{i}" : "");
        }

        string few = Directory.CreateDirectory(Path.Combine(root, "few")).FullName;
        File.WriteAllText(Path.Combine(few, "UPPER.TXT"), "upper");
        File.WriteAllText(Path.Combine(few, "lower.txt"), "lower");
        File.WriteAllText(Path.Combine(few, "Mixed.Txt"), "mixed");
        File.WriteAllText(Path.Combine(few, "ümläut €uro"), "letters");
        File.WriteAllText(Path.Combine(few, new string('n', 13)), "thirteen");
        File.WriteAllText(Path.Combine(few, new string('m', 200)), "long");
        Directory.CreateDirectory(Path.Combine(root, "empty"));
        Shell.RunChecked("find", root, "-exec", "touch", "-d", "2024-02-29T13:14:16Z", "{}", "+");
        Shell.RunChecked("touch", "-d", "1999-12-31T23:59:58Z", Path.Combine(root, "file-512.bin"));
        Shell.RunChecked("touch", "-d", "2099-06-07T08:09:10Z", Path.Combine(root, "file-1.bin"));
    }
}
