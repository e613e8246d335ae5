import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;

/**
 * A name node and a data node for the tests, or two name nodes of the service `minidfs`.
 *
 * <p>{@code java -cp 'lib/*' MiniDfs.java DIRECTORY [ha]} prints {@code ready PORT [PORT]} and then obeys lines on its
 * input: {@code failover} makes the other name node the active one, {@code stop-data} and {@code start-data} end and
 * begin the data node. It ends with its input.
 */
public class MiniDfs {
  public static void main(String[] arguments) throws Exception {
    boolean isHa = arguments.length > 1 && arguments[1].equals("ha");
    Configuration configuration = new Configuration();
    configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, new File(arguments[0]).getAbsolutePath());
    // Small blocks, so that files of the tests have several.
    configuration.setLong("dfs.namenode.fs-limits.min-block-size", 4096);
    configuration.setLong("dfs.blocksize", 1 << 20);
    configuration.setInt("dfs.replication", 1);
    configuration.setInt("dfs.namenode.safemode.extension", 0);
    MiniDFSCluster.Builder builder = new MiniDFSCluster.Builder(configuration).numDataNodes(1);
    if (isHa) {
      builder.nnTopology(MiniDFSNNTopology.simpleHATopology());
    }
    MiniDFSCluster cluster = builder.build();
    if (isHa) {
      cluster.transitionToActive(0);
    }
    cluster.waitActive();
    System.out.println(
        "ready " + cluster.getNameNodePort(0) + (isHa ? " " + cluster.getNameNodePort(1) : ""));
    obey(cluster);
    cluster.shutdown();
    System.exit(0);
  }

  private static void obey(MiniDFSCluster cluster) throws Exception {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    int active = 0;
    MiniDFSCluster.DataNodeProperties stopped = null;
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      switch (line) {
        case "failover":
          cluster.transitionToStandby(active);
          active = 1 - active;
          cluster.transitionToActive(active);
          break;
        case "stop-data":
          stopped = cluster.stopDataNode(0);
          break;
        case "start-data":
          cluster.restartDataNode(stopped, true);
          cluster.waitActive();
          break;
        default:
          throw new IllegalArgumentException(line);
      }
      System.out.println("done " + line);
    }
  }
}
